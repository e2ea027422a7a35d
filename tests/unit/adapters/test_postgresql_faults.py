"""What is said of a PostgreSQL server that lets nobody in: four cases, four sentences, each with what to do."""

import pytest

from certwright.adapters.sql.postgresql_faults import explain_connection

FAILED = "connection failed: "
SAID = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (SAID + 'database "certwright" does not exist', ["no database certwright", "createdb"]),
        (SAID + 'role "certwright" does not exist', ["no role certwright", "createuser"]),
        (SAID + 'role "certwright" is not permitted to log in', ["no role certwright that may log in"]),
        (
            SAID + 'password authentication failed for user "certwright"',
            ["password for the role certwright", "database.password"],
        ),
        (SAID + 'Peer authentication failed for user "certwright"', ["password for the role certwright"]),
        (FAILED + "fe_sendauth: no password supplied", ["wants a password", "database.password"]),
        (
            SAID + 'no pg_hba.conf entry for host "192.0.2.1", user "c", database "d"',
            ["role c in from 192.0.2.1", "pg_hba.conf"],
        ),
        (
            SAID + 'no pg_hba.conf entry for host "192.0.2.1", user "c", database "d", no encryption',
            ["role c in from 192.0.2.1 without TLS", "sslmode=verify-full", "pg_hba.conf"],
        ),
        (
            SAID.removesuffix("FATAL:  ") + "server does not support SSL, but SSL was required",
            ["does not serve TLS", "ssl = on"],
        ),
        (
            SAID.removesuffix("FATAL:  ") + 'root certificate file "/root.pem" does not exist\nEither provide the file,',
            ["no root certificate in /root.pem", "sslrootcert"],
        ),
        (SAID.removesuffix("FATAL:  ") + "SSL error: certificate verify failed", ["TLS certificate", "sslrootcert"]),
        (
            SAID.removesuffix("FATAL:  ") + 'server certificate for "a" (and 2 other names) does not match host name "b"',
            ['TLS certificate is for "a" (and 2 other names)', "database.url"],
        ),
        (
            "connection failed: Connection refused\n\tIs the server running",
            ["cannot be reached: Connection refused", "host and port"],
        ),
        ("[Errno -2] Name or service not known", ["cannot be reached: [Errno -2] Name or service not known"]),
        ("", ["cannot be reached: no answer"]),
    ],
)
def test_each_case_has_a_sentence_with_what_to_do(said: str, words: list[str]) -> None:
    told = explain_connection(said)
    assert [each for each in words if each not in told] == []
    assert len(told) < 500
