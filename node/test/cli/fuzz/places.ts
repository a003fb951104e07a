/**
 * Makes the files and folders that fuzzed command lines name. A founding has been made in them, some copies are damaged, and
 * in some places nothing can be written. `loose` is put back after each command; `fixed` has what no copy can hold.
 */
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LOOPBACK_CERTIFICATE, OTHER_CERTIFICATE } from '../../../../scripts/loopback-certificates.js'
import { freePorts } from '../../salt/federation.ts'
import { run } from '../captured.ts'

export interface Places {
  root: string
  loose: string
  pristine: string
  fixed: string
  /** A port of this machine that nothing listens on. */
  freePort: number
  remove(): void
}

const MEMBERS = ['ash', 'birch', 'cedar', 'elm', 'fir']
const TRACK = `<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="52.5" lon="13.4"><time>2026-11-01T10:00:00Z</time></trkpt>
<trkpt lat="52.5001" lon="13.4"><time>2026-11-01T10:01:00Z</time></trkpt></trkseg></trk></gpx>`

async function must(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...argv)
  if (code !== 0) throw new Error(`geotrace ${argv.join(' ')}: ${stderr.join('\n')}`)
  return stdout.join('\n')
}

/** A federation of five salt nodes on loopback that is founded and does not run. */
async function foundIn(loose: string, files: string): Promise<void> {
  const ports = await freePorts(2 * (MEMBERS.length + 1))
  const names = [...MEMBERS, 'central']
  for (const [i, name] of names.entries()) {
    const [port, wsPort] = [String(ports[2 * i]), String(ports[2 * i + 1])]
    const role = name === 'central' ? 'central' : 'salt'
    const operator = name === 'central' ? [] : ['--operator', name]
    const options = ['--dir', join(loose, name), ...operator, '--port', port, '--ws-port', wsPort]
    writeFileSync(join(files, `${name}.card`), await must(role, 'init', ...options))
  }
  const frozen = join(files, 'frozen.json')
  const cards = MEMBERS.map((name) => join(files, `${name}.card`))
  await must('federation', 'found', ...cards, '--central', join(files, 'central.card'), '--out', frozen)
  cpSync(join(loose, 'ash'), join(loose, 'unopened'), { recursive: true })
  cpSync(frozen, join(loose, 'unopened', 'federation.json'))
  for (const name of names) {
    const opening = await must('federation', 'open', '--dir', join(loose, name), '--federation', frozen)
    writeFileSync(join(files, `${name}.opening`), opening)
  }
  const complete = join(files, 'federation.json')
  cpSync(frozen, complete)
  const openings = names.map((name) => join(files, `${name}.opening`))
  await must('federation', 'complete', ...openings, '--federation', complete)
  for (const name of names) cpSync(complete, join(loose, name, 'federation.json'))
}

/** Copies of the directory of a node, each with one fault. */
function damage(loose: string): void {
  const copy = (name: string, change: (dir: string) => void): void => {
    const dir = join(loose, name)
    cpSync(join(loose, 'ash'), dir, { recursive: true })
    change(dir)
  }
  copy('short-key', (dir) => truncateSync(join(dir, 'peer.key'), 31))
  copy('no-operator', (dir) => rmSync(join(dir, 'operator.key')))
  copy('lost-key', (dir) => {
    rmSync(join(dir, 'peer.key'))
    mkdirSync(join(dir, 'records'))
  })
  copy('key-folder', (dir) => {
    rmSync(join(dir, 'peer.key'))
    mkdirSync(join(dir, 'peer.key'))
  })
  copy('bad-card', (dir) => writeFileSync(join(dir, 'card.json'), '{"operator":'))
  copy('card-folder', (dir) => {
    rmSync(join(dir, 'card.json'))
    mkdirSync(join(dir, 'card.json'))
  })
  copy('bad-federation', (dir) => writeFileSync(join(dir, 'federation.json'), '{"version":1}'))
  copy('cut-federation', (dir) => truncateSync(join(dir, 'federation.json'), 900))
  copy('federation-folder', (dir) => {
    rmSync(join(dir, 'federation.json'))
    mkdirSync(join(dir, 'federation.json'))
  })
  copy('records-file', (dir) => writeFileSync(join(dir, 'records'), 'x'))
  copy('quota-file', (dir) => writeFileSync(join(dir, 'quota'), 'x'))
  copy('bad-admin', (dir) => writeFileSync(join(dir, 'admin.json'), '{"role":"salt","port":1,"token":"x","pid":1}'))
  copy('odd-admin', (dir) => writeFileSync(join(dir, 'admin.json'), '[]'))
  const admin = { role: 'salt', port: 1, token: 'f'.repeat(64), pid: 4_194_304 }
  for (const [name, odd] of Object.entries({ port: 7_000_000, token: '\n', pid: -1 })) {
    copy(`${name}-admin`, (dir) => writeFileSync(join(dir, 'admin.json'), JSON.stringify({ ...admin, [name]: odd })))
  }
  copy('bad-nonce', (dir) => truncateSync(join(dir, 'founding.nonce'), 3))
  copy('opened-folder', (dir) => {
    rmSync(join(dir, 'founding.opened'))
    mkdirSync(join(dir, 'founding.opened'))
  })
  copy('restored-odd', (dir) => writeFileSync(join(dir, 'restored'), 'never'))
  copy('exposed', (dir) => chmodSync(dir, 0o777))
  copy('next-key', (dir) => writeFileSync(join(dir, 'operator.key.next'), 'x'))
  copy('store-file', (dir) => writeFileSync(join(dir, 'store'), 'x'))
  cpSync(join(loose, 'central'), join(loose, 'central-store-file'), { recursive: true })
  writeFileSync(join(loose, 'central-store-file', 'store'), 'x')
  cpSync(join(loose, 'central'), join(loose, 'central-odd-store'), { recursive: true })
  mkdirSync(join(loose, 'central-odd-store', 'store'))
  writeFileSync(join(loose, 'central-odd-store', 'store', 'main'), 'x')
}

async function fillFiles(files: string, loose: string): Promise<void> {
  const put = (name: string, content: string | Uint8Array, mode = 0o600): void =>
    writeFileSync(join(files, name), content, { mode })
  await must('salt', 'init', '--dir', join(loose, 'hazel'), '--operator', 'hazel')
  cpSync(join(files, 'federation.json'), join(loose, 'hazel', 'federation.json'))
  put('application.json', await must('federation', 'join', '--dir', join(loose, 'hazel')))
  put('passphrase', 'correct horse battery\n')
  put('open-passphrase', 'correct horse battery\n', 0o644)
  chmodSync(join(files, 'open-passphrase'), 0o644)
  put('short-passphrase', 'x\n')
  put('empty', '')
  put('text.txt', 'hello\n')
  put(
    'binary',
    Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 256),
  )
  put('null.json', 'null')
  put('deep.json', '['.repeat(50_000))
  put('numbers.json', '{"change":17,"operator":[],"openings":{}}')
  put('huge.json', 'x'.repeat(5 << 20))
  put('track.gpx', TRACK)
  put('empty.gpx', '')
  put('cut.gpx', TRACK.slice(0, 200))
  put('track.csv', 'time,lat,lng\nx,y,z\n')
  put('track.fit', 'x')
  put('track.json', '{}')
  mkdirSync(join(files, 'tracks'))
  put('tracks/one.gpx', TRACK)
  symlinkSync('nowhere', join(files, 'tracks', 'gone.gpx'))
  put('cert.pem', LOOPBACK_CERTIFICATE.cert)
  put('key.pem', LOOPBACK_CERTIFICATE.key)
  put('other-key.pem', OTHER_CERTIFICATE.key)
  appendFileSync(join(files, 'binary.backup'), 'geotrace backup 1\n\u0011')
}

export async function makePlaces(): Promise<Places> {
  const root = mkdtempSync(join(tmpdir(), 'geotrace-fuzz-'))
  const [loose, pristine, fixed] = ['loose', 'pristine', 'fixed'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  const files = join(loose, 'files')
  for (const dir of [loose, files, fixed, join(loose, 'home'), join(loose, 'empty')]) mkdirSync(dir, { mode: 0o700 })
  await foundIn(loose, files)
  await fillFiles(files, loose)
  damage(loose)
  cpSync(loose, pristine, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  for (const name of ['full', 'tight', 'readonly', 'locked']) {
    mkdirSync(join(fixed, name))
    cpSync(join(loose, 'ash'), join(fixed, name, 'ash'), { recursive: true })
    cpSync(join(loose, 'central'), join(fixed, name, 'central'), { recursive: true })
    mkdirSync(join(fixed, name, 'empty'))
  }
  writeFileSync(join(fixed, 'secret'), 'correct horse battery\n')
  symlinkSync('loop', join(fixed, 'loop'))
  for (const name of ['ash', 'central', 'empty', '.']) chmodSync(join(fixed, 'locked', name), 0o500)
  chmodSync(join(fixed, 'secret'), 0)
  const [freePort] = await freePorts(1)
  const remove = (): void => {
    chmodSync(join(fixed, 'locked'), 0o700)
    rmSync(root, { recursive: true, force: true })
  }
  return { root, loose, pristine, fixed, freePort: freePort!, remove }
}
