/** Next steps for errors that bring none of their own. README "Errors" lists all codes. */
import type { ErrorCode } from '@geotrace/core-wasm/wire'

const DOCTOR = '`geotrace doctor` checks this node and dials all peers'
const AGAIN = 'run the command again in a minute'
const BACKUP =
  'the disk damaged the file: move the directory away, then restore your backup with `geotrace salt restore`'
const SAME_VERSION = 'run the same version as the other peers: `git pull && npm ci && npm run build`'

const ROSTERS = '`geotrace federation log` shows the rosters; run the command again after the next one begins'

const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  ABORTED: AGAIN,
  ADDRESS_NOT_LOOPBACK: 'make keys of your own with `geotrace salt init`, and found a federation with them',
  BACKUP_UNREADABLE: 'try the other passphrase, then the copy of the backup that you keep elsewhere',
  BUSY: AGAIN,
  CHANGE_INVALID: '`geotrace federation log` shows the roster and the pending changes; correct the change, or wait',
  CLOCK_SKEWED: 'turn on time synchronisation, then run the command again',
  CODE_EXPIRED: 'issue a new code: geotrace codes issue',
  CODE_SPENT: 'retract the report of the code instead: geotrace reports list',
  CODE_UNKNOWN: 'compare the code with the one that was issued',
  COMMAND_INVALID: 'run the command with --help to see its arguments and options',
  CORE_FAULT: 'build again: npm ci && npm run build',
  CORE_MISMATCH: 'check out the version that your founder names, then run `npm ci && npm run build`',
  CORE_UNSUPPORTED: 'use Node 20.19 or newer without flags that turn WebAssembly off',
  EPOCH_LOST: ROSTERS,
  FORBIDDEN: 'name the directory of your own node with --dir',
  IMPORT_INVALID: 'correct the file at that line, or leave it out',
  LEASE_LOST: 'another process of this central peer went on with the task; look with `geotrace status`',
  MANIFEST_INVALID: 'ask your founder for federation.json again, and copy it unchanged',
  MESSAGE_MALFORMED: SAME_VERSION,
  MESSAGE_TOO_LARGE: SAME_VERSION,
  NOT_ALLOWED: 'ask the operator of that node, or name another node',
  PEER_LIED: 'tell the other operators: the signed answer of that node is the proof',
  PEER_TIMEOUT: DOCTOR,
  PEER_UNREACHABLE: DOCTOR,
  QUOTA_SPENT: 'run the command again in three hours, or from another address',
  REPORT_UNKNOWN: '`geotrace reports list` shows all reports',
  ROSTER_FORKED: 'ask the other operators which roster to keep',
  ROSTER_INVALID: BACKUP,
  ROSTER_UNKNOWN: ROSTERS,
  STORAGE_CORRUPT: BACKUP,
  STORAGE_FULL: 'free some space, then run the command again',
  STORE_LOCKED: 'see the running node with `geotrace status`, or stop it with `geotrace salt drain`',
  STORE_MISSING: 'mount the right disk, or restore the whole directory from a backup',
  VERSION_UNKNOWN: SAME_VERSION,
  WRONG_SHARD: ROSTERS,
}

const STORE_BACKUP =
  'delete nothing: move the store aside and check the disk, then bring back the last backup of the store with `geotrace central restore`'

/** For `geotrace central`, whose directory holds what no other peer has. `geotrace salt restore` brings back its keys only. */
const CENTRAL_STEPS: Partial<Record<ErrorCode, string>> = {
  ROSTER_INVALID: STORE_BACKUP,
  STORAGE_CORRUPT: STORE_BACKUP,
  STORE_LOCKED: 'see the running peer with `geotrace status`, or stop it with `geotrace central drain`',
  STORE_MISSING:
    'mount the disk of the store, or bring back the last backup of the store with `geotrace central restore`\nto give up all deposits, reports and marks, move the rest of the store aside and begin with `geotrace central run --new-store`',
}

/** `command` is the first word of the command line. */
export function nextStep(code: ErrorCode, command: string | undefined): string | undefined {
  return (command === 'central' ? CENTRAL_STEPS[code] : undefined) ?? NEXT_STEPS[code]
}
