'use strict';
// pkcs11js MODULE LABEL PIN: what a program does with it, checked by Node's own cryptography.
const assert = require('node:assert/strict');
const p = require('pkcs11js');
const { module: library, label, pin, crypto, rsaPublic, verifyP256, P256 } = require('./common.js');

const message = Buffer.from('a message');
const CKZ_DATA_SPECIFIED = 1; // which pkcs11js does not name
const p11 = new p.PKCS11();

function list(slot) {
  assert.equal(p11.C_GetTokenInfo(slot).label.trim(), label);
  assert.ok(p11.C_GetInfo().manufacturerID.length > 0);
  const mechanisms = p11.C_GetMechanismList(slot);
  for (const wanted of [p.CKM_ECDSA, p.CKM_RSA_PKCS_PSS, p.CKM_AES_GCM]) assert.ok(mechanisms.includes(wanted));
  for (const m of mechanisms) p11.C_GetMechanismInfo(slot, m);
}

function find(session, template) {
  p11.C_FindObjectsInit(session, template);
  const found = p11.C_FindObjects(session, 100);
  p11.C_FindObjectsFinal(session);
  return found;
}

const values = (session, object, ...types) => p11.C_GetAttributeValue(session, object, types.map((type) => ({ type }))).map((a) => a.value);

async function rsa(session) {
  const pair = await p11.C_GenerateKeyPairAsync(session, { mechanism: p.CKM_RSA_PKCS_KEY_PAIR_GEN }, [
    { type: p.CKA_MODULUS_BITS, value: 2048 }, { type: p.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
    { type: p.CKA_VERIFY, value: true }, { type: p.CKA_ENCRYPT, value: true }, { type: p.CKA_WRAP, value: true },
  ], [{ type: p.CKA_SIGN, value: true }, { type: p.CKA_DECRYPT, value: true }, { type: p.CKA_UNWRAP, value: true }]);
  const key = rsaPublic(...values(session, pair.publicKey, p.CKA_MODULUS, p.CKA_PUBLIC_EXPONENT));

  p11.C_SignInit(session, { mechanism: p.CKM_SHA256_RSA_PKCS }, pair.privateKey);
  assert.ok(crypto.verify('sha256', message, key, p11.C_Sign(session, message, Buffer.alloc(256))));

  const pss = { type: p.CK_PARAMS_RSA_PSS, hashAlg: p.CKM_SHA256, mgf: p.CKG_MGF1_SHA256, saltLen: 32 };
  p11.C_SignInit(session, { mechanism: p.CKM_SHA256_RSA_PKCS_PSS, parameter: pss }, pair.privateKey);
  const signature = p11.C_Sign(session, message, Buffer.alloc(256));
  assert.ok(crypto.verify('sha256', message, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature));

  const oaep = { type: p.CK_PARAMS_RSA_OAEP, hashAlg: p.CKM_SHA256, mgf: p.CKG_MGF1_SHA256, source: CKZ_DATA_SPECIFIED };
  p11.C_DecryptInit(session, { mechanism: p.CKM_RSA_PKCS_OAEP, parameter: oaep }, pair.privateKey);
  const sealed = crypto.publicEncrypt({ key, oaepHash: 'sha256' }, message);
  assert.deepEqual(p11.C_Decrypt(session, sealed, Buffer.alloc(256)), message);
}

// The key of the token, and one of the session's own. Asynchronous calls are on threads of Node's pool.
async function ec(session) {
  const [own] = find(session, [{ type: p.CKA_CLASS, value: p.CKO_PRIVATE_KEY }, { type: p.CKA_LABEL, value: 'signer' }]);
  const [ownPublic] = find(session, [{ type: p.CKA_CLASS, value: p.CKO_PUBLIC_KEY }, { type: p.CKA_LABEL, value: 'signer' }]);
  const made = p11.C_GenerateKeyPair(session, { mechanism: p.CKM_EC_KEY_PAIR_GEN },
    [{ type: p.CKA_EC_PARAMS, value: P256 }, { type: p.CKA_VERIFY, value: true }], [{ type: p.CKA_SIGN, value: true }]);
  for (const pair of [{ privateKey: own, publicKey: ownPublic }, made]) {
    const [point] = values(session, pair.publicKey, p.CKA_EC_POINT);
    p11.C_SignInit(session, { mechanism: p.CKM_ECDSA_SHA256 }, pair.privateKey);
    const signature = await p11.C_SignAsync(session, message, Buffer.alloc(64));
    assert.ok(verifyP256(point, message, signature));
    p11.C_SignInit(session, { mechanism: p.CKM_ECDSA }, pair.privateKey);
    const hash = crypto.createHash('sha256').update(message).digest();
    assert.ok(verifyP256(point, message, p11.C_Sign(session, hash, Buffer.alloc(64))));
    p11.C_VerifyInit(session, { mechanism: p.CKM_ECDSA_SHA256 }, pair.publicKey);
    assert.equal(p11.C_Verify(session, message, signature), true);
    p11.C_VerifyInit(session, { mechanism: p.CKM_ECDSA_SHA256 }, pair.publicKey);
    assert.throws(() => p11.C_Verify(session, Buffer.from('another'), signature), { message: 'CKR_SIGNATURE_INVALID' });
  }
}

// many signs in sessions of their own at once.
async function many(slot, session) {
  const [key] = find(session, [{ type: p.CKA_CLASS, value: p.CKO_PRIVATE_KEY }, { type: p.CKA_LABEL, value: 'signer' }]);
  const [publicKey] = find(session, [{ type: p.CKA_CLASS, value: p.CKO_PUBLIC_KEY }, { type: p.CKA_LABEL, value: 'signer' }]);
  const [point] = values(session, publicKey, p.CKA_EC_POINT);
  await Promise.all(Array.from({ length: 16 }, async (_, i) => {
    const own = p11.C_OpenSession(slot, p.CKF_SERIAL_SESSION);
    for (let n = 0; n < 10; n++) {
      const text = Buffer.from(`message ${i} ${n}`);
      p11.C_SignInit(own, { mechanism: p.CKM_ECDSA_SHA256 }, key);
      assert.ok(verifyP256(point, text, await p11.C_SignAsync(own, text, Buffer.alloc(64))));
    }
    p11.C_CloseSession(own);
  }));
}

const secret = (value) => [
  { type: p.CKA_CLASS, value: p.CKO_SECRET_KEY }, { type: p.CKA_KEY_TYPE, value: p.CKK_AES }, ...(value ? [{ type: p.CKA_VALUE, value }] : []),
  ...[p.CKA_ENCRYPT, p.CKA_DECRYPT, p.CKA_WRAP, p.CKA_UNWRAP, p.CKA_EXTRACTABLE].map((type) => ({ type, value: true })),
];

function aes(session) {
  const value = crypto.randomBytes(32);
  const key = p11.C_CreateObject(session, secret(value));
  const iv = crypto.randomBytes(12);
  const aad = Buffer.from('header');
  const gcm = { mechanism: p.CKM_AES_GCM, parameter: { type: p.CK_PARAMS_AES_GCM, iv, aad, ivBits: 96, tagBits: 128 } };
  p11.C_EncryptInit(session, gcm, key);
  const sealed = p11.C_Encrypt(session, message, Buffer.alloc(64));
  const opened = crypto.createDecipheriv('aes-256-gcm', value, iv).setAAD(aad).setAuthTag(sealed.subarray(-16));
  assert.deepEqual(Buffer.concat([opened.update(sealed.subarray(0, -16)), opened.final()]), message);
  p11.C_DecryptInit(session, gcm, key);
  assert.deepEqual(p11.C_Decrypt(session, sealed, Buffer.alloc(64)), message);

  const block = crypto.randomBytes(16);
  p11.C_EncryptInit(session, { mechanism: p.CKM_AES_CBC_PAD, parameter: block }, key);
  const parts = [p11.C_EncryptUpdate(session, message, Buffer.alloc(64)), p11.C_EncryptUpdate(session, message, Buffer.alloc(64)),
    p11.C_EncryptFinal(session, Buffer.alloc(64))];
  const plain = crypto.createDecipheriv('aes-256-cbc', value, block);
  assert.deepEqual(Buffer.concat([plain.update(Buffer.concat(parts)), plain.final()]), Buffer.concat([message, message]));
}

function wrap(session) {
  const value = crypto.randomBytes(32);
  const wrapping = p11.C_CreateObject(session, secret(value));
  const wrapped = crypto.randomBytes(16);
  const key = p11.C_CreateObject(session, secret(wrapped));
  const result = p11.C_WrapKey(session, { mechanism: p.CKM_AES_KEY_WRAP }, wrapping, key, Buffer.alloc(64));
  const open = crypto.createDecipheriv('id-aes256-wrap', value, Buffer.alloc(8, 0xa6));
  assert.deepEqual(Buffer.concat([open.update(result), open.final()]), wrapped);

  const again = p11.C_UnwrapKey(session, { mechanism: p.CKM_AES_KEY_WRAP }, wrapping, result, secret());
  p11.C_EncryptInit(session, { mechanism: p.CKM_AES_ECB }, again);
  const sealed = p11.C_Encrypt(session, Buffer.alloc(16), Buffer.alloc(16));
  assert.deepEqual(sealed, crypto.createCipheriv('aes-128-ecb', wrapped, null).update(Buffer.alloc(16)));
}

function digest(session) {
  for (const [mechanism, name] of [[p.CKM_SHA_1, 'sha1'], [p.CKM_SHA256, 'sha256'], [p.CKM_SHA384, 'sha384'], [p.CKM_SHA512, 'sha512']]) {
    p11.C_DigestInit(session, { mechanism });
    p11.C_DigestUpdate(session, message);
    p11.C_DigestUpdate(session, message);
    const want = crypto.createHash(name).update(message).update(message).digest();
    assert.deepEqual(p11.C_DigestFinal(session, Buffer.alloc(64)), want);
  }
  assert.notDeepEqual(p11.C_GenerateRandom(session, Buffer.alloc(32)), Buffer.alloc(32));
}

async function main() {
  p11.load(library);
  p11.C_Initialize();
  const [slot] = p11.C_GetSlotList(true);
  list(slot);
  const session = p11.C_OpenSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION);
  assert.throws(() => p11.C_Login(session, p.CKU_USER, 'wrong'), { message: 'CKR_PIN_INCORRECT' });
  p11.C_Login(session, p.CKU_USER, pin);
  await rsa(session);
  await ec(session);
  await many(slot, session);
  aes(session);
  wrap(session);
  digest(session);
  p11.C_Logout(session);
  p11.C_CloseSession(session);
  p11.C_Finalize();
  p11.close();
  console.log('all is well');
}

main();
