/**
 * `npm run bench -- client`: sizes as an app ships them, and the cost of a fix and of an hour of fixes in a browser. Then
 * bytes and CPU of a day of hourly syncs against the same exchange over HTTPS. README "Figures".
 */
import { browserRows } from './browser.js'
import { sizeRows } from './sizes.js'
import { syncRows } from './syncs.js'

export async function rows({ progress }) {
  return [...(await sizeRows({ progress })), ...(await syncRows({ progress })), ...(await browserRows({ progress }))]
}
