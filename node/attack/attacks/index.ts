/** All attacks, in the order in which they run in one federation. */
import type { Attack } from '../lab/attack.ts'
import { capturedShards } from './captured-shards.ts'
import { centralRecords } from './central-records.ts'
import { differencing } from './differencing.ts'
import { enoughNodes } from './enough-nodes.ts'
import { equivocatingMaker } from './equivocating-maker.ts'
import { forkedRoster } from './forked-roster.ts'
import { knownPlaces } from './known-places.ts'
import { loneContact } from './lone-contact.ts'
import { lyingNode } from './lying-node.ts'
import { manyQuotas } from './many-quotas.ts'
import { marksOracle } from './marks-oracle.ts'
import { oneClient } from './one-client.ts'
import { phantomDevices } from './phantom-devices.ts'
import { seizedNode } from './seized-node.ts'
import { splitBudget } from './split-budget.ts'
import { stolenStore } from './stolen-store.ts'
import { tooFewNodes } from './too-few-nodes.ts'
import { traffic } from './traffic.ts'
import { withdrawnReport } from './withdrawn-report.ts'

export const ATTACKS: readonly Attack[] = [
  ...[oneClient, tooFewNodes, enoughNodes, manyQuotas, knownPlaces, marksOracle],
  ...[traffic, capturedShards, splitBudget, centralRecords, phantomDevices],
  ...[stolenStore, differencing, loneContact, withdrawnReport],
  ...[lyingNode, forkedRoster, equivocatingMaker],
  seizedNode,
]
