/** A process for watchdog.test.ts: it reports that it runs, and blocks its event loop on request. */
import { startWatchdog } from '../../../dist/cli/process/watchdog.js'

startWatchdog('test', Number(process.argv[2]))
process.on('message', (what) => {
  if (what === 'ping') process.send('pong')
  if (what === 'stall') for (;;);
})
process.send('ready')
