/** LevelDB that counts the entries that its readers get, so that a test can compare the work of two stores without a time. */
import { type LevelHandle, type OpenLevel, openLevel } from '../../../../src/platform/level-handle.ts'

export class CountedLevel {
  /** Entries, keys and values read so far, in all databases. */
  reads = 0

  readonly open: OpenLevel = async (dir, settings) => {
    const handle = await openLevel(dir, settings)
    const counted = async function* <T>(this: CountedLevel, chunks: AsyncIterable<T[]>): AsyncGenerator<T[]> {
      for await (const chunk of chunks) {
        this.reads += chunk.length
        yield chunk
      }
    }.bind(this)
    return {
      ...handle,
      get: (key) => {
        this.reads++
        return handle.get(key)
      },
      getMany: (keys) => {
        this.reads += keys.length
        return handle.getMany(keys)
      },
      entries: (range) => counted(handle.entries(range)) as ReturnType<LevelHandle['entries']>,
      keys: (range) => counted(handle.keys(range)) as ReturnType<LevelHandle['keys']>,
    }
  }

  /** The entries that a task reads. */
  async during(task: () => Promise<unknown>): Promise<number> {
    const before = this.reads
    await task()
    return this.reads - before
  }
}
