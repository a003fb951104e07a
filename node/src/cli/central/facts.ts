/** The answer of a central peer to `GET /status`. node/CENTRAL.md "Control". Types only. */
import type { CentralPeer } from '../../central/peer.ts'

type Status = ReturnType<CentralPeer['status']>
type Condition = Awaited<ReturnType<CentralPeer['condition']>>
type Statistics = Awaited<ReturnType<CentralPeer['statistics']>>

export interface CentralFacts extends Status, Omit<Condition, 'quarantined'>, Partial<Statistics> {
  readonly version: string
  readonly federationId: string
  readonly salting: string
  /** Why the store cannot be counted; undefined when it can. */
  readonly store?: string
}
