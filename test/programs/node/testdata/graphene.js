'use strict';
// graphene MODULE LABEL PIN: what a program does with it, checked by Node's own cryptography.
const assert = require('node:assert/strict');
const g = require('graphene-pk11');
const { module: library, label, pin, crypto, rsaPublic, verifyP256, P256 } = require('./common.js');

const message = Buffer.from('a message');

function list(slot) {
  assert.equal(slot.getToken().label.trim(), label);
  const mechanisms = slot.getMechanisms();
  const names = Array.from({ length: mechanisms.length }, (_, i) => mechanisms.items(i).name);
  for (const wanted of ['ECDSA', 'RSA_PKCS_PSS', 'AES_GCM']) assert.ok(names.includes(wanted), wanted);
}

function tokenKey(session) {
  const key = session.find({ class: g.ObjectClass.PRIVATE_KEY, label: 'signer' }).items(0).toType();
  const publicKey = session.find({ class: g.ObjectClass.PUBLIC_KEY, label: 'signer' }).items(0).toType();
  const signature = session.createSign('ECDSA_SHA256', key).once(message);
  assert.ok(verifyP256(publicKey.getAttribute({ pointEC: null }).pointEC, message, signature));
  assert.ok(session.createVerify('ECDSA_SHA256', publicKey).once(message, signature));
}

function pairs(session) {
  const ec = session.generateKeyPair(g.KeyGenMechanism.EC,
    { keyType: g.KeyType.EC, token: false, verify: true, paramsEC: P256 }, { keyType: g.KeyType.EC, token: false, sign: true });
  const sign = session.createSign('ECDSA_SHA256', ec.privateKey);
  sign.update(message.subarray(0, 4));
  sign.update(message.subarray(4));
  assert.ok(verifyP256(ec.publicKey.getAttribute({ pointEC: null }).pointEC, message, sign.final()));

  const rsa = session.generateKeyPair(g.KeyGenMechanism.RSA,
    { keyType: g.KeyType.RSA, modulusBits: 2048, publicExponent: Buffer.from([1, 0, 1]), token: false, verify: true, encrypt: true },
    { keyType: g.KeyType.RSA, token: false, sign: true, decrypt: true });
  const { modulus, publicExponent } = rsa.publicKey.getAttribute({ modulus: null, publicExponent: null });
  assert.ok(crypto.verify('sha256', message, rsaPublic(modulus, publicExponent), session.createSign('SHA256_RSA_PKCS', rsa.privateKey).once(message)));
}

function secrets(session) {
  const template = { keyType: g.KeyType.AES, class: g.ObjectClass.SECRET_KEY, token: false, encrypt: true, decrypt: true, wrap: true, unwrap: true, extractable: true };
  const value = crypto.randomBytes(32);
  const key = session.create({ ...template, value }).toType();
  const iv = crypto.randomBytes(16);
  const cipher = session.createCipher({ name: 'AES_CBC_PAD', params: iv }, key);
  const sealed = Buffer.concat([cipher.update(message), cipher.final()]);
  const open = crypto.createDecipheriv('aes-256-cbc', value, iv);
  assert.deepEqual(Buffer.concat([open.update(sealed), open.final()]), message);
  const decipher = session.createDecipher({ name: 'AES_CBC_PAD', params: iv }, key);
  assert.deepEqual(Buffer.concat([decipher.update(sealed), decipher.final()]), message);

  const generated = session.generateKey(g.KeyGenMechanism.AES, { ...template, valueLen: 16 });
  const wrapped = session.wrapKey('AES_KEY_WRAP', key, generated);
  const unwrap = crypto.createDecipheriv('id-aes256-wrap', value, Buffer.alloc(8, 0xa6));
  const clear = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
  const block = session.createCipher('AES_ECB', generated).once(Buffer.alloc(16), Buffer.alloc(16));
  assert.deepEqual(block, crypto.createCipheriv('aes-128-ecb', clear, null).update(Buffer.alloc(16)));
}

function digest(session) {
  const digest = session.createDigest('SHA256');
  digest.update(message);
  assert.deepEqual(digest.final(), crypto.createHash('sha256').update(message).digest());
}

const mod = g.Module.load(library, 'ncrypt11');
mod.initialize();
const slot = mod.getSlots(0, true);
list(slot);
const session = slot.open(g.SessionFlag.RW_SESSION | g.SessionFlag.SERIAL_SESSION);
session.login(pin);
tokenKey(session);
pairs(session);
secrets(session);
digest(session);
session.logout();
session.close();
mod.finalize();
console.log('all is well');
