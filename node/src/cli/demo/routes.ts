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
}
interface DemoWebAddress {
  /** Undefined when the demo serves no web app. */
  url: string | undefined
}

/** A killed node is restarted after this time. */
const RESTART_MS = 10_000

export function demoRoutes(
  federation: Pick<FederationProcesses, 'addNode' | 'saltNodes'>,
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
      const { saltNodes } = federation
      const peer = saltNodes.find(({ name }, i) => name === node || String(i + 1) === node)
      if (peer === undefined) {
        invalidCommand(
          `no salt node ${node} in the demo`,
          `name one of: ${saltNodes.map(({ name }) => name).join(', ')}`,
        )
      }
      await peer.kill('SIGKILL')
      out.line(`${peer.name} is killed`)
      setTimeout(() => {
        peer.restart()
        out.line(`${peer.name} is started again`)
      }, RESTART_MS).unref()
      return { name: peer.name }
    },
  }
}
