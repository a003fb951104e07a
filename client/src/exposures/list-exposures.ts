/** The exposures of a device: its marks joined with its diary and the user's verdicts. Loaded when there is a mark. */
import type { Mark } from '@geotrace/core-wasm/wire'
import type { Storage } from '../storage/storage.ts'
import { type Exposure, marksToExposures } from './exposure.ts'
import { readLinks } from './mark-index.ts'
import { withVerdict } from './verdicts.ts'

/** Oldest first. Call with the device's lock held. */
export async function listExposures(storage: Storage, marks: readonly Mark[]): Promise<Exposure[]> {
  const exposures = marksToExposures(marks, await readLinks(storage, marks))
  return Promise.all(exposures.map((exposure) => withVerdict(storage, exposure)))
}
