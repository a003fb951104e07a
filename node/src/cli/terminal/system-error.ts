/**
 * Errors of the operating system in words: a missing file, a full disk, missing rights. node/README.md "Exit codes".
 * A path that cannot exist is a wrong command line; a disk or a right that is missing is not.
 */
import { getSystemErrorName } from 'node:util'

interface Explanation {
  what: string
  next: string
  exit: 1 | 2
}

const FULL: Explanation = {
  what: 'the disk is full',
  next: 'free some space, then run the command again',
  exit: 1,
}
const RIGHTS: Explanation = {
  what: 'this user has no right to it',
  next: 'run the command as the owner of the file, or name a path of your own',
  exit: 1,
}
const FILES: Explanation = {
  what: 'too many files are open',
  next: 'raise the limit with `ulimit -n 4096`, then run the command again',
  exit: 1,
}

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EMFILE: FILES,
  ENFILE: FILES,
  EROFS: {
    what: 'the disk is read-only',
    next: 'mount the disk for writing, or name a path on another disk',
    exit: 1,
  },
  EIO: { what: 'the disk reports an error', next: 'check the disk and its messages in the log of the system', exit: 1 },
  EBUSY: { what: 'another program uses it', next: 'end that program, then run the command again', exit: 1 },
  ENOENT: { what: 'no such file or folder', next: 'check the path', exit: 2 },
  ENOTDIR: { what: 'a part of the path is a file', next: 'check the path', exit: 2 },
  EISDIR: { what: 'expected a file, got a folder', next: 'name a file', exit: 2 },
  EEXIST: { what: 'it exists already', next: 'choose another name', exit: 2 },
  ENOTEMPTY: { what: 'the folder is not empty', next: 'choose another name', exit: 2 },
  ENAMETOOLONG: { what: 'the name is too long', next: 'choose a shorter name', exit: 2 },
  ELOOP: { what: 'its links lead in a circle', next: 'name the file itself', exit: 2 },
  EINVAL: { what: 'the system does not allow this name', next: 'choose another name', exit: 2 },
  ENXIO: { what: 'expected a file, got a device or a socket', next: 'name a file', exit: 2 },
  ENODEV: { what: 'expected a file, got a device or a socket', next: 'name a file', exit: 2 },
}
const VERBS: Readonly<Record<string, string>> = {
  access: 'read',
  lstat: 'read',
  mkdir: 'create the folder',
  mkdtemp: 'create the folder',
  read: 'read',
  readlink: 'read',
  scandir: 'read the folder',
  stat: 'read',
  statfs: 'read',
  write: 'write to',
}
const NETWORK: ReadonlySet<string> = new Set(['bind', 'connect', 'getaddrinfo', 'listen'])
/** The library of the database reports errors of the disk in its own words. */
const DATABASE_TEXTS: readonly [text: RegExp, name: string][] = [
  [/No space left/i, 'ENOSPC'],
  [/Read-only file system/i, 'EROFS'],
  [/Permission denied/i, 'EACCES'],
  [/Too many open files/i, 'EMFILE'],
  [/Not a directory/i, 'ENOTDIR'],
  [/No such file/i, 'ENOENT'],
  [/Input\/output error/i, 'EIO'],
]
const CAUSES_MAX = 8

interface SystemFailure extends Omit<Explanation, 'what'> {
  code: 'FILE_UNUSABLE' | 'PEER_UNREACHABLE' | 'STORAGE_FULL'
  message: string
}
interface SystemError {
  name: string
  syscall: string | undefined
  path: string | undefined
}

/** The error of the system in `error` or its causes; undefined when there is none. */
export function systemErrorIn(error: unknown): SystemError | undefined {
  let at: unknown = error
  for (let depth = 0; depth < CAUSES_MAX && at instanceof Error; depth++) {
    const { errno, code, syscall, path } = at as NodeJS.ErrnoException
    if (typeof errno === 'number') return { name: nameOf(errno, code), syscall, path }
    // Node refuses a path with a zero byte before it asks the system.
    if (code === 'ERR_INVALID_ARG_VALUE' && /null bytes/.test(at.message))
      return { name: 'EINVAL', syscall: undefined, path: undefined }
    const name = code?.startsWith('LEVEL_') && DATABASE_TEXTS.find(([text]) => text.test((at as Error).message))?.[1]
    if (name) return { name, syscall: undefined, path: undefined }
    at = at.cause
  }
  return undefined
}

export function systemErrorToFailure({ name, syscall, path }: SystemError): SystemFailure {
  if (NETWORK.has(syscall ?? ''))
    return {
      code: 'PEER_UNREACHABLE',
      message: `the network of this machine answers ${name} to ${syscall}`,
      next: '`geotrace doctor` checks the network of this machine',
      exit: 1,
    }
  const explanation = EXPLANATIONS[name] ?? {
    what: `the system answers ${name}`,
    next: '`geotrace doctor` checks this machine',
    exit: 1,
  }
  const { what, next, exit } = explanation
  const place = path === undefined ? 'the file' : path
  const message = `cannot ${VERBS[syscall ?? ''] ?? 'use'} ${place}: ${what}`
  return { code: what === FULL.what ? 'STORAGE_FULL' : 'FILE_UNUSABLE', message, next, exit }
}

function nameOf(errno: number, code: string | undefined): string {
  return code ?? getSystemErrorName(errno)
}
