/** The clock of a federation: the machine's, or a faster one for a demo federation. PROTOCOL.md §4.3. */
import { type Clock, fastClock, systemClock } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'

export function manifestClock({ demo, founding }: Manifest): Clock {
  const speed = demo?.speed ?? 1
  return speed === 1 ? systemClock() : fastClock(Date.parse(founding.at), speed)
}
