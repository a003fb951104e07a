/** Next steps for errors whose message does not name one. README "Errors" lists all codes. */
import type { ErrorCode } from '@geotrace/core-wasm/wire'

export const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  CLOCK_SKEWED: 'turn on time synchronisation, then run the command again',
  CORE_MISMATCH: 'check out the version that your founder names, then run `npm ci && npm run build`',
  CORE_UNSUPPORTED: 'use Node 20.19 or newer without flags that turn WebAssembly off',
  PEER_TIMEOUT: '`geotrace doctor` checks this node and dials all peers',
  PEER_UNREACHABLE: '`geotrace doctor` checks this node and dials all peers',
  STORAGE_CORRUPT:
    'the disk damaged the file: move the directory away, then restore your backup with `geotrace salt restore`',
  STORE_LOCKED: 'see the running node with `geotrace status`, or stop it with `geotrace salt drain`',
}
