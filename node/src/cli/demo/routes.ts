/** The routes of the demo's control server, for `geotrace demo add-node | kill` and for `npm run dev`. */
import type { AdminRoutes } from '../../admin/server.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import type { Output } from '../terminal/output.ts'
import type { FederationProcesses } from './processes.ts'

export interface AddedNode {
  name: string
  pid: number
  sponsors: readonly string[]
}
export interface KilledNode {
  name: string
  role: 'salt' | 'central'
}
interface DemoWebAddress {
  /** Undefined when the demo serves no web app. */
  url: string | undefined
}

export function demoRoutes(
  federation: Pick<FederationProcesses, 'addNode' | 'peers'>,
  webUrl: string | undefined,
  out: Output,
): AdminRoutes {
  return {
    'GET /web': (): DemoWebAddress => ({ url: webUrl }),
    'POST /add-node': async (): Promise<AddedNode> => {
      const { peer, sponsors } = await federation.addNode()
      out.line(`${peer.name} applies to join; sponsors: ${sponsors.join(', ')}`)
      return { name: peer.name, pid: peer.pid!, sponsors }
    },
    'POST /kill': async (body): Promise<KilledNode> => {
      const { node } = (body ?? {}) as { node?: unknown }
      const { peers } = federation
      const peer = peers.find(({ name }, i) => name === node || String(i + 1) === node)
      if (peer === undefined) {
        invalidCommand(`no peer ${node} in the demo`, `name one of: ${peers.map(({ name }) => name).join(', ')}`)
      }
      out.line(`${peer.name} is killed`)
      await peer.kill('SIGKILL')
      return { name: peer.name, role: peer.role }
    },
  }
}
