/**
 * The central store on a simulated disk. CONTRIBUTING "Simulation". Every change of the memory store takes the time of a
 * write and is durable before the store acknowledges it. A killed central peer leaves the changes that reached the disk.
 */
import type { CentralStore } from '../../central/store/central-store.ts'
import { type MemoryDisk, memoryStore } from '../../central/store/memory-store.ts'
import type { SimulatedDisk } from './disk.ts'
import type { Life } from './machine.ts'

export function simulatedStore(memory: MemoryDisk, disk: SimulatedDisk, life: Life): CentralStore {
  const store = memoryStore(memory)
  life.onEnd(() => {
    // The kernel releases the lock of a dead process.
    memory.opened = false
  })
  return {
    ...store,
    addUser: (id, generation, day) => disk.write(life, () => store.addUser(id, generation, day)),
    eraseUser: (id, day) => disk.write(life, () => store.eraseUser(id, day)),
    deposit: (deposit) => disk.write(life, () => store.deposit(deposit)),
    putMarks: (changes) => disk.write(life, () => store.putMarks(changes)),
    nextReport: () => disk.write(life, () => store.nextReport()),
    putReport: (report) => disk.write(life, () => store.putReport(report)),
    putProgress: (progress) => disk.write(life, () => store.putProgress(progress)),
    putCodes: (codes) => disk.write(life, () => store.putCodes(codes)),
    closeCode: (code) => disk.write(life, () => store.closeCode(code)),
    putEnrolment: (name, record, before) => disk.write(life, () => store.putEnrolment(name, record, before)),
    putPin: (pin) => disk.write(life, () => store.putPin(pin)),
    dropBefore: (day) => disk.write(life, () => store.dropBefore(day)),
  }
}
