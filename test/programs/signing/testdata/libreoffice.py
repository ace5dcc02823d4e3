"""Has LibreOffice sign a document with each certificate that it has a key for: as PDF (NAME.pdf), and as ODF (NAME.odt).

Run in the directory where the documents are to be. It prints the names, and what LibreOffice thinks of the ODF signatures."""

import os
import subprocess
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

READ, READWRITE = 1, 7  # com.sun.star.embed.ElementModes


def properties(**values):
    return tuple(PropertyValue(name, 0, value, 0) for name, value in values.items())


def connect():
    """Starts LibreOffice and gives what makes its services, and the context they are in."""
    office = subprocess.Popen(["soffice", "--headless", "--norestore", "--accept=pipe,name=signing;urp;"])
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    while office.poll() is None:
        try:
            context = resolver.resolve("uno:pipe,name=signing;urp;StarOffice.ComponentContext")
            return context.ServiceManager, context
        except NoConnectException:
            time.sleep(0.1)
    raise SystemExit("soffice has ended")


def storage(services, context, url, mode):
    factory = services.createInstanceWithContext("com.sun.star.embed.StorageFactory", context)
    kind = uno.Any("[]com.sun.star.beans.PropertyValue", properties(StorageFormat="ZipFormat"))
    return uno.invoke(factory, "createInstanceWithArguments", ((url, mode, kind),))


def sign_odf(services, context, url, certificate):
    signer = services.createInstanceWithArgumentsAndContext("com.sun.star.security.DocumentDigitalSignatures", ("1.2", True), context)
    document = storage(services, context, url, READWRITE)
    if not signer.signDocumentWithCertificate(certificate, document, None):
        raise SystemExit("signDocumentWithCertificate failed")
    document.commit()
    document.dispose()
    for found in signer.verifyDocumentContentSignatures(storage(services, context, url, READ), None):
        print("ODF", found.Signer.SubjectName, "valid" if found.SignatureIsValid else "not valid")


def main():
    services, context = connect()
    desktop = services.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    document = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, properties(Hidden=True))
    document.Text.setString("signed in LibreOffice")
    initializer = services.createInstanceWithContext("com.sun.star.xml.crypto.SEInitializer", context)
    certificates = initializer.createSecurityContext("").getSecurityEnvironment().getPersonalCertificates()
    for certificate in certificates:
        name = certificate.SubjectName.removeprefix("CN=")
        url = uno.systemPathToFileUrl(os.path.abspath(name))
        options = uno.Any("[]com.sun.star.beans.PropertyValue", properties(SignPDF=True, SignatureCertificate=certificate))
        document.storeToURL(url + ".pdf", properties(FilterName="writer_pdf_Export", FilterData=options))
        document.storeToURL(url + ".odt", ())
        sign_odf(services, context, url + ".odt", certificate)
        print("signed with", certificate.SubjectName)
    document.close(True)
    desktop.terminate()


main()
