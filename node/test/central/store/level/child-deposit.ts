/** The n-th deposit of the killed process. The test makes the same bytes, to repeat the deposit and to check its rows. */
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { Deposit, User } from '../../../../src/central/store/central-store.ts'
import { deposit, group, row } from '../sample.ts'

const FIRST_EPOCH = 100 * EPOCHS_PER_DAY
/** Rows of one deposit. They belong to two days, so that the store writes to several databases before it acknowledges. */
export const DEPOSIT_ROWS = 60

export function childDeposit(user: User, n: number): Deposit {
  const rows = (epoch: number) => Array.from({ length: DEPOSIT_ROWS / 2 }, (_, i) => row(`${n}/${epoch}/${i}`))
  const epochs = [FIRST_EPOCH + (n % EPOCHS_PER_DAY), FIRST_EPOCH + EPOCHS_PER_DAY + (n % EPOCHS_PER_DAY)]
  return deposit(
    user,
    n,
    epochs.map((epoch) => group(epoch, ...rows(epoch))),
  )
}
