/** A process that says when it runs, and stalls when it is told: for watchdog.test.ts. */
import { startWatchdog } from '../../../dist/cli/process/watchdog.js'

startWatchdog('test', Number(process.argv[2]))
process.on('message', (what) => {
  if (what === 'ping') process.send('pong')
  if (what === 'stall') for (;;);
})
process.send('ready')
