/**
 * The differences between the saltings on a node: the lines of a sheet, the quota, and the protocol that answers devices.
 * PROTOCOL.md §5. Seeds, parts, sheets and their agreement are the same for all saltings.
 */
import type { Core, Random } from '@geotrace/core-wasm'
import { type Group, loadGroup } from '@geotrace/core-wasm/voprf'
import { EVALUATE_PROTOCOL, type Manifest, manifestToId, type Protocol, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import { recentTokens, tokenCheck } from '../tokens/token-check.ts'
import { evaluateService } from './evaluate-service.ts'
import { type EvaluationCount, evaluationCounts } from './evaluation-counts.ts'
import { deviceBuckets } from './quota/device-buckets.ts'
import { evaluationQuota, saltQuota } from './quota/quota.ts'
import type { QuotaDisk } from './quota/quota-disk.ts'
import { openQuotaTable, type QuotaTable } from './quota/quota-table.ts'
import type { ServiceInit } from './requested.ts'
import { saltService } from './salt-service.ts'
import { plainRule, type SheetRule, thresholdRule } from './sheets/line-rules.ts'

/** The service that a node offers to devices. */
interface Service {
  readonly protocol: Protocol
  readonly handler: Handler
  /** Evaluations by shard and epoch, rounded; none under `plain`. */
  evaluations(nowMs: number): EvaluationCount[]
}

export interface NodeSalting {
  readonly rule: SheetRule
  /** Replicas wrap seeds in it under every salting. */
  readonly group: Group
  /** The quota table, which the service charges. */
  readonly quota: Omit<QuotaTable<never>, 'charge'>
  serve(init: ServiceInit & { random: Random }): Service
}

type Parameters = Manifest['parameters']
/** Opens a folder of the node for a table. */
type OpenQuotaDisk = (name: 'quota' | 'tokens') => Promise<QuotaDisk>

/** The salting of the manifest. Throws CORE_UNSUPPORTED. */
export async function openSalting(
  manifest: Manifest,
  core: Core,
  openDisk: OpenQuotaDisk,
  nowMs: number,
): Promise<NodeSalting> {
  const group = await loadGroup()
  const disk = await openDisk('quota')
  return manifest.parameters.salting === 'plain'
    ? openPlain(manifest.parameters, core, group, disk, nowMs)
    : openThreshold(manifest, core, group, disk, () => openDisk('tokens'), nowMs)
}

/** The salts of time blocks, one part, threshold 1. */
async function openPlain(
  parameters: Parameters,
  core: Core,
  group: Group,
  disk: QuotaDisk,
  nowMs: number,
): Promise<NodeSalting> {
  const quota = await openQuotaTable(disk, saltQuota(parameters.quota), nowMs)
  return {
    rule: plainRule(core),
    group,
    quota,
    serve: (init) => ({
      protocol: SALT_PROTOCOL,
      handler: saltService({ ...init, core, quota }),
      evaluations: () => [],
    }),
  }
}

/** The keys of cells, evaluated under shares. */
async function openThreshold(
  manifest: Manifest,
  core: Core,
  group: Group,
  disk: QuotaDisk,
  openTokens: () => Promise<QuotaDisk>,
  nowMs: number,
): Promise<NodeSalting> {
  const { devicesPerAddress, evaluations: classes } = manifest.parameters
  const quota = await openQuotaTable(disk, evaluationQuota(devicesPerAddress), nowMs)
  const devices = deviceBuckets(openTokens)
  const counts = evaluationCounts()
  return {
    rule: thresholdRule(core, group),
    group,
    quota: {
      get size() {
        return quota.size
      },
      sweep: async (at) => void (await Promise.all([quota.sweep(at), devices.sweep(at)])),
      close: async () => void (await Promise.all([quota.close(), devices.close()])),
    },
    serve(init) {
      const parameters = () => recentTokens(init.rosters)
      const checkToken = tokenCheck({
        kind: 'evaluation',
        federation: manifestToId(manifest),
        node: init.signer.key,
        parameters,
      })
      return {
        protocol: EVALUATE_PROTOCOL,
        handler: evaluateService({ ...init, group, classes, quota, devices, checkToken, counts }),
        evaluations: (at) => counts.list(at),
      }
    },
  }
}
