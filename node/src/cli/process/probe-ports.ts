/** The ports on 127.0.0.1 that serve /healthz and /metrics, as named by options. Throws PORT_TAKEN. */
import { type ProbeAnswer, probeServer } from '../../admin/probes.ts'
import { LOCAL_ADDRESS, type LocalHttp } from '../../local/local-http.ts'
import type { Log } from '../../platform/log.ts'
import { bindError, localPortTaken } from '../identity/ports.ts'

interface ProbePort {
  /** Undefined when the option is not given. */
  port: number | undefined
  /** The option that names the port. */
  option: `--${string}`
  path: `/${string}`
  probe: () => ProbeAnswer | Promise<ProbeAnswer>
}

export async function openProbes(wanted: readonly ProbePort[], log: Log): Promise<LocalHttp[]> {
  const open: LocalHttp[] = []
  for (const { port, option, path, probe } of wanted) {
    if (port === undefined) continue
    if ((await bindError(LOCAL_ADDRESS, port)) !== undefined) {
      for (const server of open) await server.stop()
      throw localPortTaken(port, option)
    }
    open.push(await probeServer(port, path, probe, log))
  }
  return open
}
