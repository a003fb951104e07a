/** Lines of the demo's output. Pure. */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import type { RosterView } from '../../admin/membership-routes.ts'
import type { Looked } from './town.ts'

/** `Roster 2 (0123456789abcdef), from 14:40: 6 salt nodes, 1 joining: hazel is ranked` */
export function rosterLine(roster: RosterView): string {
  const { height, name, firstEpoch, members, newcomers, admitted, release, changes } = roster
  const joining = newcomers + admitted > 0 ? `, ${newcomers + admitted} joining` : ''
  const what = changes.length > 0 ? `: ${changes.join('; ')}` : ''
  const built = release === undefined ? '' : `, release ${release.slice(0, 16)}`
  return `Roster ${height} (${name}), from ${clockTime(firstEpoch * EPOCH_MS)}: ${members} salt nodes${joining}${built}${what}`
}

/** The result of one resident: at risk or not, why, and each exposure on a line. */
export function residentLines({ name, story, degree, same, trail, exposures }: Looked): string[] {
  const head =
    degree === 0
      ? `   ${name}: not at risk (${story})`
      : `   ${name}: AT RISK, degree ${degree}: ${why(same, trail)} (${story})`
  const rows = exposures.map(
    ({ from, to, lat, lng, matches }) =>
      `      ${clockTime(from)} – ${clockTime(to)}  near ${lat.toFixed(5)}, ${lng.toFixed(5)}  ${matches} matching hashes`,
  )
  return [head, ...rows]
}

function why(same: number, trail: number): string {
  const parts = [
    same > 0 && `${same} hashes in the same place and time block`,
    trail > 0 && `${trail} hashes where an infectious person had just been`,
  ]
  return parts.filter(Boolean).join(', ')
}

/** Hours and minutes of the local time. */
export function clockTime(at: number): string {
  return new Date(at).toTimeString().slice(0, 5)
}
