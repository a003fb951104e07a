/** The row of figures on the status page: one card a figure, some with a bar that shows the share of a limit. Pure. */
import { h, type JSX } from 'preact'
import type { NodeStatus } from '../node-status.ts'
import { grouped, mebibytes, offset, span } from './words.ts'

/** The node stops serving when its clock differs by more. README, "Operating". */
const CLOCK_OFFSET_MAX_MS = 30_000
/** A bar above this share takes the colour of a warning. */
const FULL_PERCENT = 90

interface Card {
  readonly title: string
  readonly value: string
  readonly words: string
  /** 0 to 1 of a limit, and the words that name the limit. */
  readonly share?: { readonly of: string; readonly value: number }
}

export function cards(status: NodeStatus): JSX.Element[] {
  return [requests(status), peers(status), clock(status), memory(status), connections(status), roster(status)].map(draw)
}

function requests({ answered, network }: NodeStatus): Card {
  const bytes = Object.values(network.protocols).reduce((total, protocol) => total + protocol.bytes, 0)
  const words = `answered since the start; ${(bytes / 1e6).toFixed(1)} MB of frames`
  return { title: 'Salt requests', value: grouped(answered), words }
}

function peers({ reach, nowMs }: NodeStatus): Card {
  if (reach === undefined) return { title: 'Peers', value: '–', words: 'not asked yet' }
  const words = `answered ${span(nowMs - reach.atMs)} ago`
  return { title: 'Peers', value: `${reach.answered} of ${reach.asked}`, words }
}

function clock({ clockOffsetMs }: NodeStatus): Card {
  const share = {
    of: 'of the 30 s at which the node stops serving',
    value: Math.abs(clockOffsetMs) / CLOCK_OFFSET_MAX_MS,
  }
  return { title: 'Clock', value: offset(clockOffsetMs), words: 'against the median of the peers', share }
}

function memory({ memoryBytes, memoryMaxBytes }: NodeStatus): Card {
  const share = { of: 'of the limit', value: memoryBytes / memoryMaxBytes }
  return { title: 'Memory', value: mebibytes(memoryBytes), words: `of ${mebibytes(memoryMaxBytes)}`, share }
}

function connections({ network, connectionsMax }: NodeStatus): Card {
  const share = { of: 'of the limit', value: network.connections / connectionsMax }
  const words = `of ${grouped(connectionsMax)} at most`
  return { title: 'Connections', value: grouped(network.connections), words, share }
}

function roster({ roster, nowMs, votes }: NodeStatus): Card {
  if (roster === undefined) return { title: 'Roster', value: '–', words: 'none is certified yet' }
  const share = { of: 'of its period', value: (nowMs - roster.fromMs) / (roster.untilMs - roster.fromMs) }
  return { title: 'Roster', value: `No. ${roster.height}`, words: rosterWords(roster, nowMs, votes), share }
}

function rosterWords(
  { untilMs, reserveUntilMs }: NonNullable<NodeStatus['roster']>,
  nowMs: number,
  votes: boolean,
): string {
  const vote = votes ? 'this node votes' : 'this node has no vote'
  if (nowMs < untilMs) return `period ends in ${span(untilMs - nowMs)}; ${vote}`
  if (nowMs < reserveUntilMs) return `on reserve for ${span(reserveUntilMs - nowMs)} more; ${vote}`
  return 'has run out'
}

function draw({ title, value, words, share }: Card): JSX.Element {
  return h(
    'article',
    { class: 'card' },
    h('h2', null, title),
    h('p', { class: 'value' }, value),
    share && bar(share.value, share.of),
    h('p', { class: 'quiet' }, words),
  )
}

function bar(value: number, of: string): JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100)
  return h(
    'svg',
    {
      class: percent > FULL_PERCENT ? 'bar full' : 'bar',
      viewBox: '0 0 100 4',
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `${percent} % ${of}`,
    },
    h('rect', { width: 100, height: 4 }),
    h('rect', { class: 'share', width: percent, height: 4 }),
  )
}
