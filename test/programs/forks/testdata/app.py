"""Signs the query of each request, and says which process did. The server loads this once and forks its workers then: each begins anew."""
import os

import PyKCS11
from PyKCS11 import CKA_CLASS, CKA_LABEL, CKM_ECDSA_SHA256, CKO_PRIVATE_KEY

MODULE, LABEL, PIN = (os.environ[name] for name in ("APP_MODULE", "APP_TOKEN", "APP_PIN"))

lib = PyKCS11.PyKCS11Lib()
lib.load(MODULE)
session = key = owner = None


def begin():
    """Logs in; called by each process once."""
    global session, key, owner
    slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == LABEL)
    session = lib.openSession(slot)
    session.login(PIN)
    key = session.findObjects([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_LABEL, "signer")])[0]
    owner = os.getpid()


def sign(text):
    return bytes(session.sign(key, text, PyKCS11.Mechanism(CKM_ECDSA_SHA256, None))).hex()


begin()
sign(b"the server")
server = owner


def application(environ, start_response):
    if os.getpid() != owner:
        status = lib.lib.C_Initialize()
        assert status == 0, hex(status)
        begin()
    answer = "%d %d %s\n" % (server, os.getpid(), sign(environ["QUERY_STRING"].encode()))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer.encode()]
