"""A certificate for localhost and the authority that vouches for it, made by openssl."""

import subprocess

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def certificate_for_localhost(folder):
    """Writes `ca.pem`, `cert.pem` and `key.pem`."""
    def openssl(*words):
        subprocess.run(["openssl", "req", "-x509", *EC, *words], cwd=folder, check=True, capture_output=True)

    openssl("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority of a test")
    openssl("-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE")
