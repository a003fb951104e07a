/** The keys of tokens in a device's storage. They stand apart from the others, because the first load needs none of them. */
export const TOKEN_KEYS = {
  /** The secret that names this device to the issuer (control.ts). */
  enrolment: 'meta/enrolment',
  /** Tokens, and the members that this device asks most (wallet.ts). */
  wallet: 'meta/tokens',
} as const
