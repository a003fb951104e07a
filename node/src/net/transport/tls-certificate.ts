/** What a peer shows on its secure port: a chain and its key, PEM, which may change while it listens. PROTOCOL.md §6.1. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateSource {
  current(): Certificate
  /** Calls `listener` at each change; returns what ends it. */
  onChange(listener: () => void): () => void
}
