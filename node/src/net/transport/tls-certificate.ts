/** The TLS certificate of a peer's secure port: chain and key as PEM. It may change while the peer listens. PROTOCOL.md §6.1. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateSource {
  current(): Certificate
  /** Calls `listener` at each change. Returns a function that ends this. */
  onChange(listener: () => void): () => void
}
