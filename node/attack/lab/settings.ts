/** The three settings under which each attack runs. */
import type { Parameters } from '@geotrace/core-wasm/wire'

export type SettingName = 'plain' | 't = 1' | '3 of 5'
export interface Setting {
  readonly name: SettingName
  readonly parameters: Partial<Parameters>
  /** Tokens of a device in a day: at most 4t/3. An attack may use them or not. */
  readonly tokensPerDay?: number
}

/** One shard holds the whole town. One device for each address, so that a figure is that of one device. */
const SMALL: Partial<Parameters> = { shards: 1, reserveEpochs: 3, devicesPerAddress: 1 }

export const SETTINGS: readonly Setting[] = [
  { name: 'plain', parameters: { ...SMALL, salting: 'plain', replicas: 3, threshold: 1 } },
  { name: 't = 1', parameters: { ...SMALL, salting: 'threshold', replicas: 3, threshold: 1 }, tokensPerDay: 1 },
  { name: '3 of 5', parameters: { ...SMALL, salting: 'threshold', replicas: 5, threshold: 3 }, tokensPerDay: 4 },
]
