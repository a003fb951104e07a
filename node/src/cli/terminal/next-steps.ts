/** Next steps for errors whose message does not name one. README "Errors" lists all codes. */
import type { ErrorCode } from '@geotrace/core-wasm/wire'

export const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  CLOCK_SKEWED: 'turn on time synchronisation, then ask again',
  CORE_MISMATCH: 'check out the version that your founder names and run `npm ci && npm run build`',
  CORE_UNSUPPORTED: 'run it on Node 20.19 or newer without flags that turn WebAssembly off',
  PEER_TIMEOUT: 'is it running and reachable? `geotrace doctor` tries all of them',
  PEER_UNREACHABLE: 'is it running and reachable? `geotrace doctor` tries all of them',
  STORAGE_CORRUPT:
    'the file was damaged on the disk: move the directory away, then `geotrace salt restore` your backup',
  STORE_LOCKED: 'a node runs on this directory already: `geotrace status`, or stop it with `geotrace salt drain`',
}
