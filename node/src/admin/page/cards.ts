/** The row of figures on the status page: one card a figure, some with a bar that shows the share of a limit. Pure. */
import { h, type JSX } from 'preact'
import type { NodeStatus, RosterStatus } from '../node-status.ts'
import { grouped, mebibytes, megabytes, offset, span } from './words.ts'

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
  return [requests, peers, clock, memory, disk, connections, roster].map((card) => draw(card(status)))
}

function requests({ answered, network }: NodeStatus): Card {
  const bytes = Object.values(network.protocols).reduce((total, protocol) => total + protocol.bytes, 0)
  const words = `of devices, answered since the start; ${megabytes(bytes)} of frames`
  return { title: 'Requests', value: grouped(answered), words }
}

function peers({ reach, nowMs }: NodeStatus): Card {
  if (reach === undefined) return { title: 'Peers', value: '–', words: 'not asked yet' }
  const others = reach.strayed.length === 0 ? '' : `; ${reach.strayed.length} of another federation`
  const words = `answered ${span(nowMs - reach.atMs)} ago${others}`
  return { title: 'Peers', value: `${reach.answered} of ${reach.asked}`, words }
}

function clock({ clockOffsetMs }: NodeStatus): Card {
  const share = {
    of: 'of the 30 s at which the node stops serving',
    value: Math.abs(clockOffsetMs) / CLOCK_OFFSET_MAX_MS,
  }
  return { title: 'Clock', value: offset(clockOffsetMs), words: 'from the median of the peers', share }
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

function disk({ diskFreeBytes }: NodeStatus): Card {
  return { title: 'Disk', value: mebibytes(diskFreeBytes), words: 'free' }
}

function roster({ roster, nextRoster, nowMs, votes }: NodeStatus): Card {
  if (roster === undefined) return { title: 'Roster', value: '–', words: 'none is certified yet' }
  const share = { of: 'of its period', value: (nowMs - roster.fromMs) / (roster.untilMs - roster.fromMs) }
  const vote = votes ? 'this node votes' : 'this node does not vote'
  const next = nextRoster === undefined ? '' : `; No. ${nextRoster.height} follows`
  return {
    title: 'Roster',
    value: `No. ${roster.height}`,
    words: `${rosterWords(roster, nowMs)}${next}; ${vote}`,
    share,
  }
}

function rosterWords({ fromMs, untilMs, reserveUntilMs }: RosterStatus, nowMs: number): string {
  if (nowMs < fromMs) return `begins in ${span(fromMs - nowMs)}`
  if (nowMs < untilMs) return `in force for ${span(untilMs - nowMs)} more`
  return nowMs < reserveUntilMs ? `on reserve for ${span(reserveUntilMs - nowMs)} more` : 'has expired'
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
