/**
 * The status page's content, drawn from a report. README "Operating". Pure; the shell brings style and script.
 */
import type { Health, NodeStatus } from '../node-status.ts'
import { dayChart } from './chart.ts'
import { html, Markup } from './markup.ts'
import { shardsToPath } from './regions.ts'
import { grouped, mebibytes, offset, plural, span } from './words.ts'

const SENTENCES: Readonly<Record<Health, string>> = {
  serving: 'Serving',
  joining: 'Joining',
  waiting: 'Waiting to be admitted',
  draining: 'Leaving: serving what it still holds',
  forked: 'Two rosters contradict each other',
  leaving: 'Stopping',
  stopped: 'Stopped',
  'seeds-missing': 'Serving in part',
  'clock-skewed': 'Not serving: the clock is wrong',
  'roster-ended': 'Not serving: the roster has run out',
}
/** What a refusal means, for somebody who has not read the protocol. */
const REFUSALS: Readonly<Record<string, string>> = {
  BLOCK_TOO_NEW: 'asked for a time that has not come',
  BLOCK_TOO_OLD: 'asked for a time that is over for ever',
  BUSY: 'this node was at one of its caps',
  CLOCK_SKEWED: 'this node’s clock was wrong',
  EPOCH_LOST: 'the secrets of that time are lost',
  FORBIDDEN: 'only for members',
  INTERNAL: 'a fault of ours: please report it',
  MESSAGE_MALFORMED: 'not our protocol',
  QUOTA_SPENT: 'asked for more than its share',
  ROSTER_UNKNOWN: 'went by another roster; it fetches ours and asks again',
  TOO_MANY_SALTS: 'asked for too many at once',
  VERSION_UNKNOWN: 'another version of the protocol',
  WRONG_SHARD: 'asked for a shard that is not ours',
}
const SCALE = 22
/** For whoever looks over the volunteer's shoulder; the long form is in README.md and PRIVACY.md. */
const SEES = html`<ul class="plain">
<li><strong>While it answers:</strong> the internet address that asks, the shard, and the times asked for.</li>
<li><strong>Never:</strong> a place, a region, a name, a test result, or who met whom.</li>
<li><strong>On its disk:</strong> its keys, the rosters, and who had how much, under a key that is gone within hours. No address.</li>
<li><strong>On this page:</strong> counts, and nothing else.</li>
</ul>`

export function pageContent(report: NodeStatus): string {
  const { health, hints, node, federation, history, nowMs } = report
  const mood =
    health === 'serving'
      ? hints.length > 0
        ? 'warn'
        : 'ok'
      : ['joining', 'waiting', 'draining', 'seeds-missing'].includes(health)
        ? 'warn'
        : 'fail'
  return html`
<header>
<p class="quiet">${federation} · salt node <strong>${node}</strong></p>
<h1 class="${mood}"><span class="lamp" aria-hidden="true"></span>${SENTENCES[health]}</h1>
<p class="lead">${lead(report)}</p>
</header>
${hints.length === 0 ? new Markup('') : html`<ul class="hints" aria-label="What to do">${hints.map(({ level, what, next }) => html`<li class="${level}"><strong>${sentence(what)}</strong> ${sentence(next)}</li>`)}</ul>`}
<section class="cards" aria-label="Now">${cards(report)}</section>
<section class="wide" aria-labelledby="day-title"><h2 id="day-title">Salt requests, last 24 hours</h2>${dayChart(history, nowMs)}</section>
<section class="tall" aria-labelledby="shards-title"><h2 id="shards-title">Your shards</h2>${shards(report)}</section>
<section aria-labelledby="refused-title"><h2 id="refused-title">Turned away since the start</h2>${refusals(report)}</section>
<section aria-labelledby="sees-title"><h2 id="sees-title">What this node sees</h2>${SEES}</section>
<footer>${footer(report)}</footer>`.text
}

/** A hint's words as a sentence; what is typed, between backticks there, as code. */
function sentence(text: string): Markup {
  const parts = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.split('`')
  return html`${parts.map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`
}

function lead({ health, shards, uptimeMs, shardCount }: NodeStatus): string {
  const held = shards.filter((item) => item.held).length
  const since = `Up for ${span(uptimeMs)}.`
  if (health === 'joining') return `Waiting for enough peers to certify the first roster. ${since}`
  if (health === 'waiting') return `Follows the rosters; serves from when one names it. ${since}`
  if (health === 'leaving' || health === 'stopped') return 'Finishing the requests under way.'
  return `Holds ${held} of its ${plural(shards.length, 'shard')}; the federation has ${shardCount}. ${since}`
}

function cards({
  answered,
  network,
  connectionsMax,
  reach,
  clockOffsetMs,
  memoryBytes,
  memoryMaxBytes,
  roster,
  nowMs,
  votes,
}: NodeStatus): Markup[] {
  const frames = Object.values(network.protocols).reduce((total, { bytes }) => total + bytes, 0)
  return [
    card('Salt requests', grouped(answered), `answered since the start; ${(frames / 1e6).toFixed(1)} MB of frames`),
    card(
      'Peers',
      reach === undefined ? '–' : `${reach.answered} of ${reach.asked}`,
      reach === undefined ? 'not asked yet' : `answered ${span(nowMs - reach.atMs)} ago`,
    ),
    card(
      'Clock',
      offset(clockOffsetMs),
      'against the median of the peers',
      Math.abs(clockOffsetMs) / 30_000,
      'of the 30 s at which the node stops serving',
    ),
    card(
      'Memory',
      mebibytes(memoryBytes),
      `of ${mebibytes(memoryMaxBytes)}`,
      memoryBytes / memoryMaxBytes,
      'of the cap',
    ),
    card(
      'Connections',
      grouped(network.connections),
      `of ${grouped(connectionsMax)} at most`,
      network.connections / connectionsMax,
      'of the cap',
    ),
    roster === undefined
      ? card('Roster', '–', 'none is certified yet')
      : card(
          'Roster',
          `No. ${roster.height}`,
          rosterWords(roster, nowMs, votes),
          (nowMs - roster.fromMs) / (roster.untilMs - roster.fromMs),
          'of its period',
        ),
  ]
}

function rosterWords(
  { untilMs, reserveUntilMs }: NonNullable<NodeStatus['roster']>,
  nowMs: number,
  votes: boolean,
): string {
  const voice = votes ? 'this node votes' : 'this node has no vote'
  if (nowMs < untilMs) return `period ends in ${span(untilMs - nowMs)}; ${voice}`
  if (nowMs < reserveUntilMs) return `on reserve for ${span(reserveUntilMs - nowMs)} more; ${voice}`
  return 'has run out'
}

/** With a share, a bar below the number. */
function card(title: string, value: string, words: string, share?: number, of = ''): Markup {
  const percent = Math.round(Math.min(1, Math.max(0, share ?? 0)) * 100)
  const bar =
    share === undefined
      ? new Markup('')
      : html`<svg class="bar ${percent > 90 ? 'full' : ''}" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="${percent} % ${of}"><rect width="100" height="4"/><rect class="share" width="${percent}" height="4"/></svg>`
  return html`<article class="card"><h2>${title}</h2><p class="value">${value}</p>${bar}<p class="quiet">${words}</p></article>`
}

function shards({ shards, shardCount }: NodeStatus): Markup {
  if (shardCount === 0) return html`<p class="quiet">They are drawn when the first roster is certified.</p>`
  const held = new Set(shards.filter((item) => item.held).map(({ shard }) => shard))
  const missing = new Set(shards.filter((item) => !item.held).map(({ shard }) => shard))
  const others = new Set(
    Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => !held.has(shard) && !missing.has(shard)),
  )
  const path = (which: ReadonlySet<number>) => shardsToPath(which, shardCount, SCALE)
  return html`
<figure class="regions">
<svg viewBox="-252 -252 504 504" role="img" aria-label="Pattern of regions: ${held.size} of ${shardCount} shards are held here">
<path class="others" d="${path(others)}"/><path class="missing" d="${path(missing)}"/><path class="held" d="${path(held)}"/>
</svg>
<figcaption>
<p><span class="key held">held here: ${list(held)}</span> ${missing.size === 0 ? new Markup('') : html`<span class="key missing">seed missing: ${list(missing)}</span>`} ${others.size === 0 ? new Markup('') : html`<span class="key others">held by others</span>`}</p>
<p class="quiet">343 regions of about 44 km around the Vosges, north up, as an example: of ${shardCount} regions each shard has one, all over the earth, so every piece of it shows this pattern. The node knows shards and times; it never sees a region, let alone a place.</p>
</figcaption>
</figure>`
}

/** The first few of a long list. */
function list(which: ReadonlySet<number>): string {
  const all = [...which]
  return all.length === 0
    ? 'none'
    : all.length <= 12
      ? all.join(', ')
      : `${all.slice(0, 12).join(', ')} and ${all.length - 12} more`
}

function refusals({ refused, answered }: NodeStatus): Markup {
  const rows = Object.entries(refused).sort(([, a], [, b]) => b - a)
  if (rows.length === 0) return html`<p class="quiet">Nobody${answered === 0 ? ' has asked yet' : ''}.</p>`
  return html`<div class="scroll"><table><thead><tr><th scope="col">Requests</th><th scope="col">Why</th></tr></thead><tbody>
${rows.map(([code, count]) => html`<tr><td>${grouped(count)}</td><td>${REFUSALS[code] ?? 'see the list of errors in README.md'} <code>${code}</code></td></tr>`)}</tbody></table></div>`
}

function footer({ version, core, peerId, roster }: NodeStatus): Markup {
  return html`<dl>
<div><dt>Version</dt><dd>${version}</dd></div>
<div><dt>Core</dt><dd><code>${core.sha256.slice(0, 16)}</code> ${core.pinned ? 'pinned by the federation' : 'not the one that the federation pins'}</dd></div>
<div><dt>Roster</dt><dd><code>${roster?.name ?? '–'}</code></dd></div>
<div><dt>Peer id</dt><dd><code>${peerId}</code></dd></div>
</dl>`
}
