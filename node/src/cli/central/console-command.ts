/** `geotrace central console`: prints a link to the console of the running central peer. node/CENTRAL.md "The console". */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { LOCAL_ADDRESS } from '../../local/local-http.ts'
import { examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { type ControlOptions, controlOptions, toControl } from './control.ts'

export function consoleCommand(command: Command, out: Output): void {
  const open = controlOptions(command)
    .description('print a link to the console, a web page on this machine; the link works once')
    .action((options: ControlOptions) => showLink(options, out))
  examples(open, 'geotrace central console', 'geotrace central console --as anna.json')
}

async function showLink(options: ControlOptions, out: Output): Promise<void> {
  const { code, port } = (await adminRequest(await toControl(options), 'POST', '/login')) as {
    code: string
    port: number
  }
  const url = `http://${LOCAL_ADDRESS}:${port}/#${code}`
  out.json({ url })
  out.line(url)
  out.note(
    'The link works once, on this machine only. It opens the console with the rights of your role for ten hours.',
  )
  out.note(`To open it on another machine, first run there: ssh -L ${port}:${LOCAL_ADDRESS}:${port} THIS-MACHINE`)
}
