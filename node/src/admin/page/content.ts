/**
 * The content of the status page, drawn from one NodeStatus. node/README.md, "Operating". Pure.
 * The shell (shell.ts) adds style and script. Preact escapes every text, so a name or a hint cannot inject markup.
 */
import { type ComponentChildren, Fragment, h, type JSX } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { type Health, type Hint, missingParts, type NextPeriod, type NodeStatus } from '../node-status.ts'
import { cards } from './cards.ts'
import { dayChart } from './chart.ts'
import { priceText, saltingText } from './salting-words.ts'
import { table } from './table.ts'
import { grouped, plural, span } from './words.ts'

/** Shard numbers shown before "and N more". */
const SHARDS_SHOWN_MAX = 12
/** Rows of evaluations, the most first. */
const EVALUATIONS_SHOWN_MAX = 10

/** The heading for each state of health. */
const HEADINGS: Readonly<Record<Health, string>> = {
  serving: 'Serving',
  joining: 'Joining',
  waiting: 'Waiting to be admitted',
  draining: 'Leaving: serving the shards that it still holds',
  forked: 'Two rosters contradict each other',
  leaving: 'Stopping',
  stopped: 'Stopped',
  'seeds-missing': 'Serving in part',
  'clock-skewed': 'Not serving: the clock is wrong',
  'roster-ended': 'Not serving: the roster has expired',
  'disk-full': 'Not serving: the disk is full',
  strayed: 'Not serving: the peers run another federation',
}
/** States that need patience; every other state except `serving` is a failure. */
const WARNINGS: ReadonlySet<Health> = new Set(['joining', 'waiting', 'draining', 'seeds-missing'])

/** The meaning of each refusal, for a volunteer who has not read the protocol. */
const REFUSALS: Readonly<Record<string, string>> = {
  BATCH_REFUSED: 'asked with a batch that the federation does not name',
  BLOCK_TOO_NEW: 'asked for a time that lies in the future',
  BLOCK_TOO_OLD: 'asked for a time whose salts are deleted',
  BUSY: 'this node was at one of its limits',
  CLOCK_SKEWED: 'this node’s clock was wrong',
  EPOCH_LOST: 'the secrets of that time are lost',
  FORBIDDEN: 'only members may ask this',
  INTERNAL: 'a fault in Geo Trace: please report it',
  MESSAGE_MALFORMED: 'not a message of the protocol',
  NOT_ALLOWED: 'asked from an address that your list does not hold',
  QUOTA_SPENT: 'asked for more than its quota',
  ROSTER_UNKNOWN: 'used another roster; the client fetches the current one and asks again',
  TOO_MANY_SALTS: 'asked for too many salts in one request',
  VERSION_UNKNOWN: 'another version of the protocol',
  WRONG_SHARD: 'asked for a shard that this node does not hold',
}
/** For a visitor who asks the volunteer what the node records; README.md and PRIVACY.md have the long form. */
const SEES: readonly (readonly [when: string, what: string])[] = [
  ['While it answers:', 'the internet address that asks, the shard, and the times asked for.'],
  ['Never:', 'a place, a region, a name, a test result, or who met whom.'],
  [
    'On its disk:',
    'its keys, the rosters, and each requester’s use of its quota under a key that is deleted within hours. No address.',
  ],
  ['On this page:', 'counts only.'],
]

export function pageContent(status: NodeStatus): string {
  const { history, hints, nowMs } = status
  return renderToString(
    h(
      Fragment,
      null,
      header(status),
      hints.length > 0 && h('ul', { class: 'hints', 'aria-label': 'What to do' }, hints.map(hintItem)),
      h('section', { class: 'cards', 'aria-label': 'Now' }, cards(status)),
      section('day', 'Requests of devices, last 24 hours', dayChart(history, nowMs), 'wide'),
      section('shards', 'Your shards', shards(status)),
      section('salting', 'Salting', salting(status)),
      section('refused', 'Refused since the start', refusals(status), 'wide'),
      section('sees', 'What this node sees', sees(), 'wide'),
      footer(status),
    ),
  )
}

function header(status: NodeStatus): JSX.Element {
  const { federation, federationId, node, health, hints } = status
  return h(
    'header',
    null,
    h(
      'p',
      { class: 'quiet' },
      federation,
      ' ',
      h('code', null, federationId),
      ' · salt node ',
      h('strong', null, node),
    ),
    h('h1', { class: toMood(health, hints) }, h('span', { class: 'lamp', 'aria-hidden': 'true' }), HEADINGS[health]),
    h('p', { class: 'lead' }, lead(status)),
  )
}

/** The colour of the lamp. */
function toMood(health: Health, hints: readonly Hint[]): 'ok' | 'warn' | 'fail' {
  if (hints.some(({ level }) => level === 'fail')) return 'fail'
  if (health === 'serving') return hints.length > 0 ? 'warn' : 'ok'
  return WARNINGS.has(health) ? 'warn' : 'fail'
}

function lead({ health, shards, uptimeMs, shardCount }: NodeStatus): string {
  const held = shards.filter((item) => item.held).length
  const since = `Up for ${span(uptimeMs)}.`
  if (health === 'joining') return `Waiting for enough peers to certify the first roster. ${since}`
  if (health === 'waiting') return `Follows the rosters and serves as soon as one gives it shards. ${since}`
  if (health === 'strayed') return `Compare the federation id above with that of your founder. ${since}`
  if (health === 'leaving' || health === 'stopped') return 'Finishing the requests in progress.'
  return `Holds ${held} of its ${plural(shards.length, 'shard')}; the federation has ${shardCount}. ${since}`
}

function hintItem({ level, what, next }: Hint): JSX.Element {
  return h('li', { class: level }, h('strong', null, sentence(what)), ' ', sentence(next))
}

/** A hint's words as a sentence; text between backticks becomes code. */
function sentence(text: string): ComponentChildren {
  const parts = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.split('`')
  return parts.map((part, i) => (i % 2 === 1 ? h('code', null, part) : part))
}

function section(name: string, title: string, content: ComponentChildren, wide?: 'wide'): JSX.Element {
  const id = `${name}-title`
  return h('section', { class: wide, 'aria-labelledby': id }, h('h2', { id }, title), content)
}

function shards({ shards, shardCount, nextPeriod }: NodeStatus): JSX.Element {
  if (shardCount === 0) {
    return h('p', { class: 'quiet' }, 'The federation assigns them when the first roster is certified.')
  }
  const numbers = (held: boolean): number[] => shards.filter((item) => item.held === held).map(({ shard }) => shard)
  const [held, missing] = [numbers(true), numbers(false)]
  const others = shardCount - held.length - missing.length
  return h(
    'ul',
    { class: 'plain' },
    h('li', { class: 'key held' }, `held here: ${list(held)}`),
    missing.length > 0 && h('li', { class: 'key missing' }, `seed missing: ${list(missing)}`),
    nextPeriod !== undefined &&
      h('li', { class: nextPeriod.missing.length > 0 ? 'key missing' : 'key held' }, nextPeriodText(nextPeriod)),
    others > 0 && h('li', { class: 'key others' }, `held by other nodes: ${grouped(others)} of ${grouped(shardCount)}`),
    h(
      'li',
      { class: 'quiet' },
      'The regions of the world are divided evenly among the shards. This node knows shards and times; it never sees a region or a place.',
    ),
  )
}

/** A harvest shows here: the evaluations of one shard and epoch rise while those of the others do not. */
function salting({ salting: own, evaluations, evaluationsMax }: NodeStatus): JSX.Element {
  const rows = evaluations.slice(0, EVALUATIONS_SHOWN_MAX).map(({ shard, fromMs, atMost }) => {
    return [String(shard), `${new Date(fromMs).toISOString().slice(11, 16)} UTC`, `at most ${grouped(atMost)}`]
  })
  const limit = evaluationsMax === undefined ? '' : ` This node makes ${grouped(evaluationsMax)} at most for each.`
  return h(
    Fragment,
    null,
    h('p', { class: 'fact' }, sentence(saltingText(own))),
    own.kind === 'threshold' && h('p', { class: 'quiet' }, priceText(own)),
    own.kind === 'threshold' && rows.length === 0 && h('p', { class: 'quiet' }, 'No evaluation was asked for yet.'),
    rows.length > 0 && table(['Shard', 'Epoch from', 'Evaluations'], rows),
    rows.length > 0 && h('p', { class: 'quiet' }, `Rounded, so that no single device shows.${limit}`),
  )
}

function nextPeriodText({ parts, missing, neededMs }: NextPeriod): string {
  const time = `${new Date(neededMs).toISOString().slice(11, 16)} UTC`
  return `for the next period: ${grouped(parts - missingParts({ missing }))} of ${plural(parts, 'part')}, needed from ${time}`
}

function list(numbers: readonly number[]): string {
  if (numbers.length === 0) return 'none'
  const more = numbers.length - SHARDS_SHOWN_MAX
  const shown = numbers.slice(0, SHARDS_SHOWN_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

function refusals({ refused, answered }: NodeStatus): JSX.Element {
  const rows = Object.entries(refused).sort(([, a], [, b]) => b - a)
  if (rows.length === 0) {
    return h('p', { class: 'quiet' }, answered === 0 ? 'No request has arrived yet.' : 'No request was refused.')
  }
  return table(
    ['Requests', 'Reason'],
    rows.map(([code, count]) => [
      grouped(count),
      h(Fragment, null, REFUSALS[code] ?? 'see the list of errors in README.md', ' ', h('code', null, code)),
    ]),
  )
}

function sees(): JSX.Element {
  return h(
    'ul',
    { class: 'plain' },
    SEES.map(([when, what]) => h('li', null, h('strong', null, when), ' ', what)),
  )
}

function footer({ version, core, peerId, roster }: NodeStatus): JSX.Element {
  const pinned = core.pinned ? 'pinned by the federation' : 'not the build that the federation pins'
  const facts: readonly (readonly [name: string, value: ComponentChildren])[] = [
    ['Version', version],
    ['Core', h(Fragment, null, h('code', null, core.sha256.slice(0, 16)), ' ', pinned)],
    ['Roster', h('code', null, roster?.name ?? '–')],
    ['Peer id', h('code', null, peerId)],
  ]
  return h(
    'footer',
    null,
    h(
      'dl',
      null,
      facts.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))),
    ),
  )
}
