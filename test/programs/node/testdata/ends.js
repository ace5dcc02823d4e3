'use strict';
// ends MODULE LABEL PIN HOW: signs, and ends in one of several ways.
const p = require('pkcs11js');
const { module: library, pin } = require('./common.js');

const how = process.argv[5];
const p11 = new p.PKCS11();
p11.load(library);
p11.C_Initialize();
const [slot] = p11.C_GetSlotList(true);
const session = p11.C_OpenSession(slot, p.CKF_SERIAL_SESSION);
p11.C_Login(session, p.CKU_USER, pin);
p11.C_FindObjectsInit(session, [{ type: p.CKA_CLASS, value: p.CKO_PRIVATE_KEY }, { type: p.CKA_LABEL, value: 'signer' }]);
const [key] = p11.C_FindObjects(session, 1);
p11.C_FindObjectsFinal(session);

function sign() {
  p11.C_SignInit(session, { mechanism: p.CKM_ECDSA_SHA256 }, key);
  return p11.C_SignAsync(session, Buffer.from('a message'), Buffer.alloc(64));
}

sign().then(() => {
  console.log('signed');
  switch (how) {
    case 'finalize':
      p11.C_Finalize();
      break;
    case 'exit':
      process.exit(9);
      break;
    case 'signing':
      sign();
      process.exit(9);
      break;
    case 'exception':
      throw new Error('as asked for');
    case 'abort':
      process.abort();
  }
});
