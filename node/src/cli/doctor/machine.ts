/**
 * Checks of this machine: Node version, file permissions, disk, limits, ports. node/README.md "When something is wrong".
 * The judge functions are pure; the functions at the end of the file read the values.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loosePermissionOf, permissionAdvice } from '../identity/file-rights.ts'
import { noKeyAdvice, OPERATOR_KEY, PEER_KEY } from '../identity/identity.ts'
import { portAdvice, unusablePort } from '../identity/ports.ts'
import { DISK_LEAST_BYTES, DISK_WANTED_BYTES, freeBytes } from '../process/disk.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const MIB = 1 << 20
/** Besides its connections a node has tables, logs and libraries open. */
const FILES_BESIDE_CONNECTIONS = 256
/** README.md recommends this version, because libp2p takes less CPU there. */
const NODE_RECOMMENDED = 24

export function checkNode(version: string): Finding {
  const major = Number(version.split('.')[0])
  const what = `Node ${version}`
  // bin/geotrace.js reports a version that is too old to run this file.
  return major >= NODE_RECOMMENDED
    ? ok('node', what)
    : ok('node', `${what}; Node ${NODE_RECOMMENDED} takes less CPU for the same requests`)
}

/** `more`: further files that only the owner may read. */
export function checkRights(dir: string, more: readonly string[] = []): Finding {
  for (const path of [dir, join(dir, PEER_KEY), join(dir, OPERATOR_KEY), ...more]) {
    const permission = loosePermissionOf(path)
    if (permission !== undefined) {
      const { what, next } = permissionAdvice(permission)
      return fail('rights', what, next)
    }
  }
  if (!existsSync(join(dir, PEER_KEY))) return fail('rights', `no ${PEER_KEY} in ${dir}`, noKeyAdvice(dir))
  return ok('rights', `only the owner can access ${dir} and its keys`)
}

export function judgeDisk(freeBytes: number, dir: string): Finding {
  const what = `${Math.round(freeBytes / MIB)} MiB free on the disk of ${dir}`
  if (freeBytes < DISK_LEAST_BYTES)
    return fail('disk', what, 'free some space; a node that cannot store quotas refuses requests')
  if (freeBytes < DISK_WANTED_BYTES)
    return warn('disk', what, 'free some space; a busy node needs up to 200 MiB for its quota table')
  return ok('disk', what)
}

/** Values as `ulimit` prints them; undefined means unlimited. */
interface Limits {
  readonly coreBytes: number | undefined
  readonly openFiles: number | undefined
}

export function judgeLimits(limits: Limits | undefined, connections: number): Finding[] {
  if (limits === undefined) {
    return [
      warn('limits', 'this system does not show its limits', 'turn crash dumps off; a crash dump would contain seeds'),
    ]
  }
  const { coreBytes, openFiles } = limits
  const wanted = connections + FILES_BESIDE_CONNECTIONS
  return [
    coreBytes === 0
      ? ok('core-dumps', 'off, so a crash writes no seeds to the disk')
      : warn(
          'core-dumps',
          'on, so a crash would write seeds to the disk',
          'start the node under `ulimit -c 0`, or with LimitCORE=0 as in deploy/geotrace-salt.service',
        ),
    openFiles === undefined || openFiles >= wanted
      ? ok('open-files', `limit ${openFiles ?? 'unlimited'}`)
      : warn(
          'open-files',
          `limit ${openFiles}; ${connections} connections need ${wanted}`,
          `start the node under \`ulimit -n ${wanted}\`, or with a lower --max-connections`,
        ),
  ]
}

/** Checks whether a node that does not run could listen on its addresses. */
export async function checkPortsFree(
  listen: readonly string[],
  role: 'salt' | 'central',
  dirOption: string,
): Promise<Finding> {
  const found = await unusablePort(listen)
  if (found === undefined) return ok('ports', `free: ${listen.join(' ')}`)
  const { what, next } = portAdvice(found, role, dirOption)
  return fail('ports', what, next)
}

export function checkDisk(dir: string): Finding {
  return judgeDisk(freeBytes(dir), dir)
}

/** The limits of the running process if the system shows them, otherwise those of a process started from here. */
export async function readLimits(pid: number | undefined): Promise<Limits | undefined> {
  if (process.platform === 'win32') return undefined
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid ?? 'self'}/limits`, 'utf8').catch(() => '')
    const soft = (name: string) => new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1]
    const [core, files] = [soft('Max core file size'), soft('Max open files')]
    if (core !== undefined && files !== undefined) return { coreBytes: amount(core), openFiles: amount(files) }
  }
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -c; ulimit -n'])
  const [core, files] = stdout.trim().split('\n')
  return { coreBytes: amount(core!), openFiles: amount(files!) }
}

function amount(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}
