/**
 * The TLS certificate of a peer's secure port: chain and key as PEM. PROTOCOL.md §6.1. The certificate may change while
 * the peer listens.
 */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateSource {
  current(): Certificate
  /** Calls `listener` at each change. Returns a function that removes the listener. */
  onChange(listener: () => void): () => void
}
