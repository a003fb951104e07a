import { expect } from 'vitest'
import type { Fix, Tracer } from '../src/index.ts'

/** Each fix is taken. */
export async function recordAll(tracer: Tracer, fixes: readonly Fix[]): Promise<void> {
  for (const fix of fixes) expect(await tracer.record(fix)).toEqual({ accepted: true })
}
