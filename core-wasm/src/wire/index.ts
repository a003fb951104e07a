/**
 * @geotrace/core-wasm/wire: every byte that crosses a wire or is signed, and the rules that both ends share.
 * No module here can name a latitude, a cell or a fix, so no module can send one. PROTOCOL.md is normative.
 */

export * from './bounded-map.ts'
export * from './constants.ts'
export * from './encoding/bytes.ts'
export * from './encoding/merkle.ts'
export * from './encoding/origin.ts'
export * from './encoding/peer-address.ts'
export * from './encoding/peer-id.ts'
export * from './encoding/protocols.ts'
export * from './encoding/signature.ts'
export * from './encoding/status.ts'
export * from './encoding/version.ts'
export * from './errors.ts'
export * from './federation/default-parameters.ts'
export * from './federation/demo-keys.ts'
export * from './federation/effort.ts'
export * from './federation/manifest.ts'
export {
  type FrozenManifest,
  type Manifest,
  manifestToId,
  operatorKey,
  type Parameters,
  type PeerEntry,
  type TokenParameters,
  tokensSchema,
} from './federation/manifest-form.ts'
export * from './federation/ranks.ts'
export * from './federation/roster.ts'
export * from './federation/roster-rules.ts'
export * from './federation/roster-size.ts'
export * from './federation/salt-check.ts'
export * from './federation/spread-roles.ts'
export * from './messages/evaluate.ts'
export * from './messages/evaluate-check.ts'
export * from './messages/gossip.ts'
export * from './messages/issuance.ts'
export * from './messages/paid-frame.ts'
export * from './messages/pin.ts'
export * from './messages/report-code.ts'
export * from './messages/roster-exchange.ts'
export * from './messages/rows.ts'
export * from './messages/salt.ts'
export * from './messages/seeds.ts'
export * from './messages/sheet.ts'
export * from './messages/spread.ts'
export * from './messages/spread-counts.ts'
export * from './messages/spread-key.ts'
export * from './messages/sync.ts'
export * from './messages/sync-reply.ts'
export * from './messages/sync-request.ts'
export * from './spread-rules.ts'
export * from './succession/certificate.ts'
export * from './succession/chain.ts'
export * from './succession/changes.ts'
export { nextMembers, type Succession } from './succession/draft.ts'
export * from './succession/epoch-pins.ts'
export * from './succession/evidence.ts'
export * from './succession/roster-follower.ts'
export * from './succession/roster-step.ts'
export * from './succession/succession.ts'
export * from './succession/vote.ts'
export * from './window.ts'
