'use strict';
// What the programs have in common: the other side, which is Node's own cryptography.
const crypto = require('node:crypto');

const [, , module_, label, pin] = process.argv;

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

const rsaPublic = (modulus, exponent) =>
  crypto.createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) } });

// The point is an OCTET STRING of 04 X Y.
const p256Public = (point) =>
  crypto.createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: base64url(point.subarray(-64, -32)), y: base64url(point.subarray(-32)) } });

const verifyP256 = (point, message, signature) =>
  crypto.verify('sha256', message, { key: p256Public(point), dsaEncoding: 'ieee-p1363' }, signature);

const P256 = Buffer.from('06082A8648CE3D030107', 'hex');

module.exports = { module: module_, label, pin, crypto, rsaPublic, p256Public, verifyP256, P256 };
