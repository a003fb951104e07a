/** The n-th deposit of a killed process: the same bytes whoever makes it. */
import { EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { Deposit, User } from '../../../src/central/store/central-store.ts'
import { deposit, group, row } from './sample.ts'

const FIRST_EPOCH = 100 * EPOCHS_PER_DAY
/** Rows are not written before the record unless they lie in several databases: so each deposit has two days. */
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
