/**
 * Draws command lines from the program's own tree of commands. Each slot, an argument or the value of an option, takes a
 * usual value or one of a list of wrong, odd and huge ones. A draw says what the exit code must be, where that is certain.
 */
import { join } from 'node:path'
import type { Argument, Command, Option } from 'commander'
import type { Places } from './places.ts'

export interface Drawn {
  argv: string[]
  /** `usage`: the words of the line are wrong, on every machine. */
  expect: 'usage' | 'any'
}
/** Draws a whole number below `bound`. */
type Draw = (bound: number) => number

const LONG = 100_000
/** Longer words are no argument of a process on Linux. */
const ARGUMENT_MAX = 131_071

/** A generator of equal draws for equal seeds (mulberry32). */
export function seededDraw(seed: number): Draw {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

interface Pools {
  [kind: string]: { good: readonly string[]; wrong: readonly string[]; full?: readonly string[] }
}

const ODD = ['', ' ', '.', '..', '/', '-', '--', '\n', '\u0000', '\u001b[31m', 'ü', '%s', '$HOME', '~', "'", '{}', '[]']
const ODD_NUMBERS = ['-1', '0', '1e9', '0x10', '1.5', '٣', '99999999999999999999', 'nan', '', ' 5', 'Infinity', '1,2']
const ODD_ADDRESSES = [
  ...['/ip4/0.0.0.0/tcp/4101', '/ip4/127.0.0.1/udp/4101/quic-v1', '/unix/tmp/x', '/ip4/1.2.3.4/tcp/70000', 'foo'],
  ...['/ip6/fe80::1%eth0/tcp/1', '/dns/x y/tcp/1', '/dnsaddr/example.org', '/ip4/300.1.1.1/tcp/1', '/ip4//tcp/'],
  ...['/ip4/192.0.2.1/tcp/4101/tls/ws', '/ip6/::1/tcp/4101', '/ip4/127.0.0.1/tcp/4101/p2p/12D3KooW', ':', 'x:4101'],
]

function toPools({ loose, fixed, freePort }: Places): Pools {
  const file = (name: string): string => join(loose, 'files', name)
  const dir = (name: string): string => join(loose, name)
  const onDisks = (name: string): string[] =>
    ['full', 'tight', 'readonly', 'locked'].map((disk) => join(fixed, disk, name))
  const anyFile = ['empty', 'text.txt', 'binary', 'null.json', 'deep.json', 'numbers.json', 'huge.json'].map(file)
  const noFile = [
    ...[file('none'), file('text.txt/x'), file('n'.repeat(300)), file('tracks'), join(fixed, 'loop')],
    ...[join(fixed, 'secret'), '/dev/null', '/dev/full', '/dev/zero', '/proc/self/mem', '/proc/1/environ', '/root'],
  ]
  const wrongFile = [...ODD, ...anyFile, ...noFile, 'x'.repeat(LONG)]
  const damaged = [
    ...['short-key', 'no-operator', 'lost-key', 'key-folder', 'bad-card', 'card-folder', 'bad-federation'],
    ...['cut-federation', 'federation-folder', 'records-file', 'quota-file', 'bad-admin', 'odd-admin'],
    ...['port-admin', 'token-admin', 'pid-admin'],
    ...['bad-nonce', 'opened-folder', 'restored-odd', 'exposed', 'next-key', 'store-file', 'central-store-file'],
    ...['central-odd-store', 'empty', 'none', 'none/none', 'unopened', 'running', 'running-central'],
  ].map(dir)
  const files = (...names: string[]) => ({ good: names.map(file), wrong: wrongFile })
  const count = (...good: string[]) => ({ good, wrong: ODD_NUMBERS })
  return {
    dir: { good: [dir('ash'), dir('hazel')], wrong: [...damaged, dir('central'), ...wrongFile], full: onDisks('ash') },
    centralDir: { good: [dir('central')], wrong: [...damaged, dir('ash'), ...wrongFile], full: onDisks('central') },
    fresh: { good: [dir('new'), dir('empty')], wrong: [...damaged, ...wrongFile], full: onDisks('empty') },
    federation: { ...files('federation.json'), wrong: [file('frozen.json'), file('ash.card'), ...wrongFile] },
    frozen: { ...files('frozen.json'), wrong: [file('federation.json'), ...wrongFile] },
    out: { good: [file('fresh.json')], wrong: [file('ash.card'), ...wrongFile], full: onDisks('fresh.json') },
    card: files('ash.card', 'birch.card', 'cedar.card', 'elm.card', 'fir.card'),
    centralCard: files('central.card'),
    opening: files('ash.opening', 'birch.opening', 'cedar.opening', 'elm.opening', 'fir.opening', 'central.opening'),
    change: files('application.json'),
    passphrase: { ...files('passphrase'), wrong: [file('open-passphrase'), file('short-passphrase'), ...wrongFile] },
    backup: { ...files('binary.backup'), wrong: wrongFile },
    track: {
      ...files('track.gpx', 'tracks'),
      wrong: ['empty.gpx', 'cut.gpx', 'track.csv', 'track.fit', 'track.json'].map(file).concat(wrongFile),
    },
    cert: files('cert.pem'),
    key: { ...files('key.pem'), wrong: [file('other-key.pem'), ...wrongFile] },
    port: { good: [String(freePort)], wrong: [...ODD_NUMBERS, '65536', '1', '80'] },
    number: count('1', '2', '3'),
    host: {
      good: ['127.0.0.1', 'salt.example.org'],
      wrong: [...ODD, ...ODD_ADDRESSES, 'https://x', '0.0.0.0', '[::1]', 'a'.repeat(300)],
    },
    address: { good: ['/ip4/127.0.0.1/tcp/4101'], wrong: [...ODD, ...ODD_ADDRESSES, 'x'.repeat(LONG)] },
    ip: { good: ['127.0.0.1'], wrong: [...ODD, '1.2.3.4', '::', 'localhost', '256.1.1.1'] },
    operator: { good: ['ash', 'red-cross'], wrong: [...ODD, 'Red Cross', 'x'.repeat(LONG)] },
    name: { good: ['ash', 'Health South'], wrong: [...ODD, 'Red Cross', 'x'.repeat(LONG)] },
    time: {
      good: ['2026-11-01T10:00:00Z'],
      wrong: [...ODD, '1969-01-01', '+275761-01-01', '2999-01-01', 'yesterday', '0'],
    },
    origins: {
      good: ['https://app.example.org', 'none'],
      wrong: [...ODD, 'http://x', 'https://x/y', ','.repeat(100), 'x'.repeat(LONG)],
    },
    hashes: { good: [`${'0'.repeat(64)},${'1'.repeat(64)}`], wrong: [...ODD, 'a,b', '0'.repeat(64)] },
    tokens: {
      good: [`4,8${'0'.repeat(510)}1`, 'none'],
      wrong: [...ODD, ...ODD_NUMBERS, '4', `17,8${'0'.repeat(510)}1`, `4,${'0'.repeat(512)}`],
    },
    peer: { good: ['0'.repeat(64)], wrong: [...ODD, '12D3KooW', 'x'.repeat(LONG)] },
    word: { good: ['strict', 'rolling', 'debug', 'info'], wrong: ODD },
  }
}

/** The kind of a slot, from the command and the name of the slot. */
function toKind(path: string, name: string): string {
  if (name === 'dir') {
    if (/ (init|restore)$/.test(path)) return 'fresh'
    return /^(central|codes|reports)/.test(path) ? 'centralDir' : 'dir'
  }
  if (name === 'federation') return /complete|open/.test(path) ? 'frozen' : 'federation'
  if (name === 'file') return path.endsWith('backup') ? 'out' : path.endsWith('restore') ? 'backup' : 'change'
  const kinds: Record<string, string> = {
    ...{ central: 'centralCard', card: 'card', out: 'out', opening: 'opening', passphraseFile: 'passphrase' },
    ...{ cert: 'cert', key: 'key', host: 'host', address: 'address', listen: 'address', localAddress: 'ip' },
    ...{
      name: 'name',
      operator: 'operator',
      report: 'number',
      node: 'name',
      from: 'time',
      at: 'time',
      apps: 'origins',
    },
    ...{ tokens: 'tokens', core: 'hashes', quota: 'word', logLevel: 'word', paths: 'track', path: 'track' },
  }
  if (path === 'replay' && name === 'report') return 'name'
  if (/port$/i.test(name)) return 'port'
  return kinds[name] ?? (/peer id/.test(name) ? 'peer' : 'number')
}

/** A function that draws the next command line. `program` has all its commands. */
export function drawing(program: Command, places: Places, draw: Draw): () => Drawn {
  const pools = toPools(places)
  const leaves = leavesOf(program)
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)]!
  const oneIn = (n: number): boolean => draw(n) === 0

  /** A value of a slot. The greater `care`, the more often a usual one. */
  const value = (path: string, name: string, care: number): string => {
    const pool = pools[toKind(path, name)]!
    if (!oneIn(care)) return pick(pool.good)
    return pool.full !== undefined && oneIn(2) ? pick(pool.full) : pick(pool.wrong)
  }

  return () => {
    const { path, command } = pick(leaves)
    const words = path === '' ? [] : path.split(' ')
    const care = 2 + draw(6)
    const slot = (name: string): string => value(path, name, care)
    const args = command.registeredArguments.flatMap((argument) => toArguments(argument, slot, draw))
    const isDemo = path === 'demo' || path === 'demo spread'
    const isSpare = isDemo || path === 'replay'
    const chosen = command.options.filter(
      (option) => option.mandatory || (isUsual(path, option) && !oneIn(5)) || oneIn(isSpare ? 2 : 4),
    )
    const options = chosen.flatMap((option) =>
      option.long === '--page' || option.isBoolean() ? [option.long!] : [option.long!, slot(option.attributeName())],
    )
    const tail = oneIn(2) ? [...args, ...options] : [...options, ...args]
    const drawn = [...words, ...tail]
    const slips = oneIn(6) ? slip(drawn, words.length, draw) : undefined
    // A whole demo takes a minute, and its own tests run it.
    if (isDemo && slips === undefined) return { argv: [...drawn, '--web-port', '65536'], expect: 'usage' }
    const argv = (slips ?? drawn).map((word) => word.slice(0, ARGUMENT_MAX))
    if (oneIn(5)) argv.push('--json')
    if (oneIn(12)) argv.push('--log-level', 'debug')
    return { argv, expect: slips === undefined ? 'any' : 'usage' }
  }
}

function leavesOf(command: Command, path = ''): { path: string; command: Command }[] {
  const below = command.commands.flatMap((child) => leavesOf(child, `${path} ${child.name()}`.trim()))
  return command.commands.length > 0 && path !== 'demo' ? below : [...below, { path, command }]
}

/** Without its directory a command uses the one of the home. */
function isUsual(path: string, { long }: Option): boolean {
  return long === '--dir' || (long === '--out' && path.endsWith('found')) || long === '--passphrase-file'
}

function toArguments(argument: Argument, slot: (name: string) => string, draw: Draw): string[] {
  const count = argument.variadic ? 1 + draw(7) : 1
  return Array.from({ length: count }, () => slot(argument.name()))
}

/** Breaks the words of a line so that no command can mean them. */
function slip(words: readonly string[], commandWords: number, draw: Draw): string[] | undefined {
  const name = words[commandWords - 1]
  switch (draw(4)) {
    case 0:
      return [...words, '--nonsense']
    case 1:
      return [...words.slice(0, commandWords), '--nonsense=1', ...words.slice(commandWords)]
    case 2:
      return name === undefined ? ['nonsense'] : [...words.slice(0, commandWords - 1), `${name}x`]
    default:
      return [...words, '--log-level', 'loud']
  }
}
