/**
 * The central peer of the authority, assembled from its parts. PROTOCOL.md §8; node/CENTRAL.md is for operators.
 * The central peer stores deposits, issues report codes and computes marks. It votes in the federation and holds no
 * shard. Throws COMMAND_INVALID, MANIFEST_INVALID, NODE_NOT_RUNNING and the errors of store and codes.
 */
import type { Manifest } from '@geotrace/core-wasm/wire'
import type { Membership } from '../membership/membership.ts'
import type { Log } from '../platform/log.ts'
import type { CodeBatch, Worker } from './codes/batches.ts'
import type { CodeStatus, IssuedCodes } from './codes/codes.ts'
import type { CodeOrder } from './codes/order.ts'
import { type CentralConfig, toCentralConfig } from './config.ts'
import type { EnrolmentCodes } from './enrolment/enrolments.ts'
import { assertReplySize } from './manifest-checks.ts'
import type { CentralPeerInit } from './opening.ts'
import type { Parts } from './parts.ts'
import { peerLife } from './peer-life.ts'
import {
  type CentralCondition,
  type CentralStatistics,
  type CentralStatus,
  type ReportOutcome,
  toCondition,
  toOutcomes,
  toStatistics,
  toStatus,
} from './peer-status.ts'
import type { ReviewDecision } from './review/report-review.ts'
import type { RiskSummary } from './risk/dry-run.ts'
import type { RiskProfile } from './risk/risk-profile.ts'
import type { CentralStore, ReportId } from './store/central-store.ts'

/** A trial computation of a report with other degrees, another latency or another risk profile. */
interface DryRun extends Partial<Pick<CentralConfig, 'degrees' | 'latencyEpochs' | 'profile'>> {
  report: ReportId
}

export interface CentralPeer {
  /**
   * Resolves when the peer answers requests; it accepts deposits as soon as a roster is certified. Throws STORE_LOCKED,
   * STORE_MISSING, STORAGE_CORRUPT, MANIFEST_INVALID, COMMAND_INVALID.
   */
  start(): Promise<void>
  /** Answers new syncs with BUSY, ends those under way, then closes the store. */
  stop(): Promise<void>
  status(): CentralStatus
  /** The risk profile of this process. */
  readonly profile: RiskProfile
  /** Looks at store and disk. */
  condition(): Promise<CentralCondition>
  /** The peer's membership in the federation; undefined while the peer is stopped. */
  membership(): Membership | undefined
  /** Compares clock and federation with the peers now, which also updates `reach`. */
  lookAround(): Promise<void>
  statistics(): Promise<CentralStatistics>
  /** Values that all processes of the store share. Throws NODE_NOT_RUNNING. */
  shared(): Pick<CentralStore, 'record' | 'changeRecord'>
  /** Copies the store to an empty directory. Throws COMMAND_INVALID, STORAGE_FULL, BUSY. */
  backUp(to: string): Promise<void>
  /** Throws COMMAND_INVALID, QUOTA_SPENT. */
  issueCodes(order: Partial<CodeOrder>, worker?: Worker): Promise<IssuedCodes>
  /** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
  revokeCode(code: string): Promise<void>
  /** Throws CODE_UNKNOWN. */
  codeStatus(code: string): Promise<CodeStatus>
  /** The newest batches of codes, only those of one worker with `worker`. */
  codeBatches(worker?: string): Promise<CodeBatch[]>
  /** Revokes the open codes of a batch, and returns their number. Throws CODE_UNKNOWN. */
  revokeBatch(batch: string, worker?: string): Promise<number>
  /** New codes that enrol devices for tokens, shown once. Throws COMMAND_INVALID. */
  issueEnrolmentCodes(order: { count?: unknown; days?: unknown }): Promise<EnrolmentCodes>
  /** The code enrols nobody any more, and the device that it enrolled gets no more tokens. Throws CODE_UNKNOWN. */
  revokeEnrolmentCode(code: string): Promise<'code' | 'device'>
  /** The same for all codes of an order and the devices that they enrolled. Throws CODE_UNKNOWN. */
  revokeEnrolmentBatch(batch: string): Promise<void>
  /** Draws a key of the issuer for each kind of token. Their moduli in hex, for the operators to put into a roster. */
  drawIssuerKeys(): Promise<readonly string[]>
  reports(): Promise<ReportOutcome[]>
  /**
   * Publishes, rejects, retracts or restores a report. The reason of a rejection or a retraction stays with the report.
   * Throws REPORT_UNKNOWN, COMMAND_INVALID.
   */
  review(report: ReportId, decision: ReviewDecision, reason?: string): Promise<void>
  /** Computes at once all marks that wait for their computation. Resolves when the store has them. */
  settled(): Promise<void>
  /** Counts the marks that a report would give, and changes nothing. Throws COMMAND_INVALID, REPORT_UNKNOWN. */
  dryRun(dryRun: DryRun): Promise<RiskSummary>
}

/** Throws COMMAND_INVALID for a bad setting and MANIFEST_INVALID for a manifest whose replies are too small. */
export function centralPeer(init: CentralPeerInit): CentralPeer {
  const { manifest, log } = init
  const config = toCentralConfig(init.config ?? {}, manifest)
  assertReplySize(manifest)
  const life = peerLife(init, config)
  const { running } = life

  const peer: CentralPeer = {
    profile: config.profile,
    start: life.start,
    stop: life.stop,
    status: () => toStatus(manifest, config, life.state, life.parts),
    condition: () => toCondition(peer.status().state, life.parts),
    // A follower knows the rosters, and its messages would reach nobody.
    membership: () => (life.parts?.duty.leads ? life.parts.membership : undefined),
    // Two processes with one identity must not dial the same peers.
    lookAround: async () => void (life.parts?.duty.leads && (await life.parts.watch.check())),
    statistics: async () => toStatistics(running()),
    backUp: async (to) => running().store.backUp(to),
    shared: () => running().store,
    ...codeActions(running, log),
    ...issuerActions(running, log),
    reports: async () => toOutcomes(running()),
    async review(report, decision, reason) {
      await running().risk.review(report, decision, reason)
      log.info('central.report-reviewed', { report, decision })
    },
    async settled() {
      const { sharing, risk } = running()
      if (sharing !== undefined && 'look' in sharing) await sharing.look()
      await risk.settled()
    },
    dryRun: ({ report, ...change }) => running().risk.dryRun(report, toProfile(change, config, manifest)),
  }
  return peer
}

function codeActions(
  running: () => Parts,
  log: Log,
): Pick<CentralPeer, 'issueCodes' | 'revokeCode' | 'codeStatus' | 'codeBatches' | 'revokeBatch'> {
  return {
    async issueCodes(order, worker) {
      const issued = await running().codes.issue(order, worker)
      log.info('central.codes-issued', { count: issued.codes.length })
      return issued
    },
    async revokeCode(code) {
      await running().codes.revoke(code)
      log.info('central.code-revoked')
    },
    codeStatus: async (code) => running().codes.status(code),
    codeBatches: async (worker) => running().codes.batches.list(worker),
    async revokeBatch(batch, worker) {
      const revoked = await running().codes.batches.revoke(batch, worker)
      log.info('central.batch-revoked', { codes: revoked })
      return revoked
    },
  }
}

function issuerActions(
  running: () => Parts,
  log: Log,
): Pick<CentralPeer, 'issueEnrolmentCodes' | 'revokeEnrolmentCode' | 'revokeEnrolmentBatch' | 'drawIssuerKeys'> {
  return {
    async issueEnrolmentCodes(order) {
      const issued = await running().issuer.enrolments.issue(order)
      log.info('central.enrolment-codes-issued', { count: issued.codes.length })
      return issued
    },
    async revokeEnrolmentCode(code) {
      const what = await running().issuer.enrolments.revoke(code)
      log.info(what === 'device' ? 'central.device-withdrawn' : 'central.enrolment-code-revoked')
      return what
    },
    async revokeEnrolmentBatch(batch) {
      await running().issuer.enrolments.revokeBatch(batch)
      log.info('central.enrolment-batch-revoked')
    },
    async drawIssuerKeys() {
      const moduli = await running().issuer.keys.add()
      log.info('central.issuer-keys-drawn')
      return moduli
    },
  }
}

function toProfile(change: Omit<DryRun, 'report'>, config: CentralConfig, manifest: Manifest): RiskProfile {
  const { degrees, latencyEpochs, profile } = config
  return toCentralConfig({ profile, degrees, latencyEpochs, ...change }, manifest).profile
}
