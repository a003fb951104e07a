/** The rosters at the end of a history, and which of them counts for an epoch. */
import { type CertifiedRoster, equalBytes, manifestToRoster } from '@geotrace/core-wasm/wire'
import type { SimulatedFederation } from '@geotrace/node/testing'

export interface FirstEpochs {
  /** Those of all rosters, overtaken ones included, the newest first. */
  readonly all: readonly number[]
  /** All certified rosters, overtaken ones included. */
  readonly rosters: readonly CertifiedRoster[]
  /** That of the roster whose salts count for this epoch: the pinned one, otherwise the one in force. */
  toCounted(epoch: number): number
}

export function firstEpochs(federation: SimulatedFederation): FirstEpochs {
  const overtaken = federation.saltNodes.flatMap(({ running }) => running?.membership()?.rosters.overtaken ?? [])
  const rosters = [...rostersOf(federation), ...overtaken]
  const founding = manifestToRoster(federation.manifest).firstEpoch
  const all = [...new Set([founding, ...rosters.map(({ roster }) => roster.firstEpoch)])].sort((a, b) => b - a)
  const { pins } = federation.deposits
  return {
    all,
    rosters,
    toCounted(epoch) {
      const pin = pins.get(epoch)
      const pinned = pin && rosters.find(({ hash }) => equalBytes(hash, pin.roster))
      return pinned?.roster.firstEpoch ?? Math.max(...all.filter((first) => first <= epoch))
    },
  }
}

/** All rosters, from the node that has the most. */
export function rostersOf({ saltNodes }: SimulatedFederation): readonly CertifiedRoster[] {
  const stores = saltNodes.map(({ running }) => running?.membership()?.rosters.recent ?? [])
  return stores.reduce((a, b) => (b.length > a.length ? b : a))
}
