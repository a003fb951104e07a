/**
 * Two certificates with their published keys, as PEM, for tests and benchmarks of HTTPS and secure WebSocket on loopback.
 * A client trusts a pair only when the test hands the certificate to that client. They are constants because Node makes
 * no certificates, and the library that makes some (@peculiar/x509) patches the global `Reflect`. ECDSA P-256, valid
 * from 2020 to 2120, made with `openssl ca -selfsign`.
 */

/** Names 127.0.0.1 and 127.1.0.1 to 127.1.0.6, where `startFederation` listens. */
export const LOOPBACK_CERTIFICATE = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBfTCCASOgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL1L25pXmD/c40/v
teDMnCYWSg+J7ZzJlZeGQ9Wlqpj0PZmdD/SqBP3JDp20J/bpqpVe8C7LNb+o9JZY
UaugIBWjZDBiMAwGA1UdEwEB/wQCMAAwMwYDVR0RBCwwKocEfwAAAYcEfwEAAYcE
fwEAAocEfwEAA4cEfwEABIcEfwEABYcEfwEABjAdBgNVHQ4EFgQUZ4YGnbWP9Caa
1w5oGQQlU+/Ftx4wCgYIKoZIzj0EAwIDSAAwRQIhAPtFobz3pVcD2F96Ze5J13it
KaQ2ahbGsy0dwiLgJWZOAiBxIs7Q97jaOftTgOaGfCPfO7lAjTCj/k5HJ1uknwB/
HA==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0Bp3OFDCZydy3rLH
XVdzD4M8uKj2QhExZ5IEi4a8MPqhRANCAAS9S9uaV5g/3ONP77XgzJwmFkoPie2c
yZWXhkPVpaqY9D2ZnQ/0qgT9yQ6dtCf26aqVXvAuyzW/qPSWWFGroCAV
-----END PRIVATE KEY-----
`,
}

/** The same addresses with another key and serial number, for tests that replace or mix up certificates. */
export const OTHER_CERTIFICATE = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBfjCCASOgAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH71eKJG216Tul6j
xBrKwCxIqFpW/RCVA4bM6i1OxC+VR1/ZhEiOosAei/ZSgoUMPgCMin1KTRNRS9+I
pTqXb8WjZDBiMAwGA1UdEwEB/wQCMAAwMwYDVR0RBCwwKocEfwAAAYcEfwEAAYcE
fwEAAocEfwEAA4cEfwEABIcEfwEABYcEfwEABjAdBgNVHQ4EFgQUSsby36m/zO4P
aUiMcEzPY5SqPhcwCgYIKoZIzj0EAwIDSQAwRgIhALNcxMLKxUPWM8dKLWmHRShp
yx26DgNONE+yAaORoGbWAiEAgTci002AjjTEvJd6TSd9V9o7/ti5DNKB4FdcnqmZ
8Vc=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgy7f9HutDS8UIGICB
WutznbI81Q/Eyf6wLV/5CHgZDGehRANCAAR+9XiiRttek7peo8QaysAsSKhaVv0Q
lQOGzOotTsQvlUdf2YRIjqLAHov2UoKFDD4AjIp9Sk0TUUvfiKU6l2/F
-----END PRIVATE KEY-----
`,
}
