/** The way of a newcomer in words, for status, page and hints. node/README.md "Join a running federation". Pure. */
import type { Joining, RosterMoment } from '../../membership/joining.ts'
import { minute, weekday } from '../terminal/times.ts'

/** `endorsed 3 of 3 (ash, birch, cedar) · admitted by roster 3 (from …) · serves from roster 5, about Tuesday 2026-11-24 …` */
export function joiningText({ endorsed, admitted, ranked, passedBy, serves }: Joining): string {
  const stages = [
    endorsed === undefined ? undefined : endorsedText(endorsed),
    admitted && `admitted by ${rosterText(admitted)}`,
    admitted && ranked === undefined && serves?.isExpected && nonceText(passedBy),
    ranked && `ranked by ${rosterText(ranked)}`,
    serves && `serves from roster ${serves.height}, ${serves.isExpected ? 'about ' : ''}${weekday(serves.fromMs)}`,
  ].filter((stage) => typeof stage === 'string')
  if (endorsed === undefined && admitted === undefined && ranked === undefined && serves === undefined)
    return 'no application of this node is known here, and no roster names it'
  return stages.join(' · ')
}

function endorsedText({ by, needs }: NonNullable<Joining['endorsed']>): string {
  if (needs === 0) return 'needs no endorsement'
  return `endorsed ${by.length} of ${needs}${by.length === 0 ? '' : ` (${by.join(', ')})`}`
}

/** A roster ranks newcomers by nonces that the operators open after the admission. */
function nonceText(passedBy: RosterMoment | undefined): string {
  const waits = 'waits for the nonces of the operators, which the next roster draws its rank from'
  return passedBy === undefined ? waits : `${waits}; ${rosterText(passedBy)} had too few and ranked nobody`
}

function rosterText({ height, fromMs }: RosterMoment): string {
  return `roster ${height} (from ${minute(fromMs)})`
}
