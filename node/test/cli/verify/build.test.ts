import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { treeToHash } from '../../../src/cli/verify/file-tree.ts'
import { APP_TREE, readBuilt, readRelease, releaseToId, TREES } from '../../../src/cli/verify/release.ts'
import { CONTENT_SECURITY_POLICY, startWebServer } from '../../../src/local/web-server.ts'
import { run } from '../captured.ts'

const folder = mkdtempSync(join(tmpdir(), 'geotrace-verify-'))
const checkout = join(folder, 'checkout')
const release = join(folder, 'release.json')
afterAll(() => rmSync(folder, { recursive: true }))

/** Three files in each tree, one of them in a folder. */
const FILES = TREES.flatMap((tree) => ['index.html', 'b.js', 'deep/c.bin'].map((name) => `${tree}/${name}`))
for (const file of FILES) put(file, `the content of ${file}`)
put('package-lock.json', '{"lockfileVersion":3}')
put('node/package.json', '{"name":"@geotrace/node","version":"0.1.0"}')
const built = await readBuilt(checkout)
writeFileSync(release, JSON.stringify({ version: 1, commit: 'a'.repeat(40), node: '20.19.0', ...built }))

function put(file: string, text: string | Buffer): void {
  mkdirSync(dirname(join(checkout, file)), { recursive: true })
  writeFileSync(join(checkout, file), text)
}

/** The paths that `verify build` names, and its exit code. */
async function named(...args: string[]): Promise<{ code: number; paths: string[] }> {
  const { code, stdout } = await run('--json', 'verify', ...args)
  const { differences } = JSON.parse(stdout.join('')) as { differences: { path: string; how: string }[] }
  return { code, paths: differences.map(({ path, how }) => `${path} ${how}`) }
}

describe('a build compared with its release', () => {
  it('an untouched checkout, package folder and packed package are those of the release', async () => {
    expect(await named('build', release, checkout)).toEqual({ code: 0, paths: [] })
    expect(await named('build', release, join(checkout, 'node'))).toEqual({ code: 0, paths: [] })
    const packed = join(folder, 'node.tgz')
    execFileSync('tar', ['-czf', packed, '--transform', 's,^node,package,', '-C', checkout, 'node'])
    expect(await named('build', release, packed)).toEqual({ code: 0, paths: [] })
    put('node/dist/b.js', 'changed')
    execFileSync('tar', ['-czf', packed, '--transform', 's,^node,package,', '-C', checkout, 'node'])
    put('node/dist/b.js', 'the content of node/dist/b.js')
    expect(await named('build', release, packed)).toEqual({ code: 1, paths: ['dist/b.js changed'] })
  })

  it('each tampering is named: one bit, a lost file, an added file', async () => {
    const tampering = fc.tuple(fc.constantFrom(...FILES), fc.constantFrom('changed', 'missing', 'added'), fc.nat(200))
    await fc.assert(
      fc.asyncProperty(tampering, async ([file, how, bit]) => {
        const path = how === 'added' ? `${file}.${bit}` : file
        const before = readFileSync(join(checkout, file))
        const after = Buffer.from(before)
        after[(bit >> 3) % after.length]! ^= 1 << (bit & 7)
        put(path, after)
        if (how === 'missing') rmSync(join(checkout, path))
        const seen = await named('build', release, checkout)
        if (how === 'added') rmSync(join(checkout, path))
        else put(file, before)
        expect(seen).toEqual({ code: 1, paths: [`${path} ${how}`] })
      }),
      { numRuns: 40 },
    )
    expect(await named('build', release, checkout)).toEqual({ code: 0, paths: [] })
  })

  it('another lockfile is named', async () => {
    put('package-lock.json', '{"lockfileVersion":2}')
    expect(await named('build', release, checkout)).toEqual({ code: 1, paths: ['package-lock.json changed'] })
    put('package-lock.json', '{"lockfileVersion":3}')
  })

  it('the id of a release depends on every hash, and not on the version of Node', () => {
    const read = readRelease(release)
    const id = releaseToId(read)
    expect(releaseToId({ ...read, node: '24.0.0' })).toBe(id)
    expect(releaseToId({ ...read, lock: '0'.repeat(64) })).not.toBe(id)
    for (const tree of TREES) {
      const trees = { ...read.trees, [tree]: { ...read.trees[tree], 'b.js': '0'.repeat(64) } }
      expect(releaseToId({ ...read, trees })).not.toBe(id)
    }
  })

  it('the hash of a tree is that of sha256sum over its sorted lines', () => {
    const tree = { b: '1'.repeat(64), 'a/é': '2'.repeat(64), Z: '3'.repeat(64) }
    const lines = ['Z', 'a/é', 'b'].map((path) => `${path}\0${tree[path as keyof typeof tree]}\n`).join('')
    const expected = execFileSync('sha256sum', { input: lines }).toString().slice(0, 64)
    expect(treeToHash(tree)).toBe(expected)
  })

  it('a file that is no release, a folder that is no build and a path that leaves its tree are usage errors', async () => {
    const odd = join(folder, 'odd.json')
    const text = readFileSync(release, 'utf8')
    for (const bad of ['', '{}', '[]', text.replace('"index.html"', '"../index.html"'), text.replace(/a{40}/, 'b')]) {
      writeFileSync(odd, bad)
      expect((await run('verify', 'build', odd, checkout)).code).toBe(2)
    }
    expect((await run('verify', 'build', release, folder)).code).toBe(2)
    expect((await run('verify', 'build', release, odd)).code).toBe(2)
    expect((await run('verify', 'build', join(folder, 'none.json'))).code).toBe(2)
  })
})

describe('the web app of a server compared with a release', () => {
  it('the files and the policy of an honest server are those of the release; each change is named', async () => {
    /** The server reads its folder when it starts. */
    const compared = async () => {
      const web = await startWebServer({ folder: join(checkout, APP_TREE) })
      const seen = await named('app', release, web.url)
      await web.stop()
      expect((await run('verify', 'app', release, web.url)).code).toBe(1)
      return seen
    }
    expect(await compared()).toEqual({ code: 0, paths: [] })
    put(`${APP_TREE}/index.html`, 'another page')
    expect(await compared()).toEqual({ code: 1, paths: ['/ changed', 'index.html changed'] })
    put(`${APP_TREE}/index.html`, `the content of ${APP_TREE}/index.html`)
    rmSync(join(checkout, APP_TREE, 'b.js'))
    expect(await compared()).toEqual({ code: 1, paths: ['b.js missing'] })
    put(`${APP_TREE}/b.js`, `the content of ${APP_TREE}/b.js`)
  })

  it('a server without the content security policy, or with a weaker one, is named', async () => {
    for (const policy of [
      undefined,
      CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'"),
    ]) {
      const server = createServer((request, response) => {
        const path = request.url === '/' ? '/index.html' : request.url!
        if (policy !== undefined) response.setHeader('Content-Security-Policy', policy)
        response.end(readFileSync(join(checkout, APP_TREE, path)))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const { code, paths } = await named('app', release, `http://127.0.0.1:${port}`)
      expect({ code, paths }).toEqual({
        code: 1,
        paths: ['header content-security-policy of / changed', 'header content-security-policy of /index.html changed'],
      })
      server.closeAllConnections()
      server.close()
    }
  })

  it('a server that hands out another app elsewhere is found out by comparing what two places got', async () => {
    const elsewhere = join(folder, 'elsewhere.json')
    const page = `${APP_TREE}/index.html`
    /** The result of `verify app` while the page is this text. */
    const seen = async (text: string, ...args: string[]) => {
      put(page, text)
      const web = await startWebServer({ folder: join(checkout, APP_TREE) })
      const { code, stdout } = await run('--json', 'verify', 'app', release, web.url, ...args)
      await web.stop()
      put(page, `the content of ${page}`)
      return { code, said: JSON.parse(stdout.join('')) }
    }
    const compare = ['--compare', elsewhere]
    writeFileSync(elsewhere, JSON.stringify((await seen(`the content of ${page}`)).said))
    expect(await seen(`the content of ${page}`, ...compare)).toMatchObject({
      code: 0,
      said: { places: [{ place: elsewhere, differences: [] }] },
    })
    // The page of this place is another one, then that of the other place, then both are, in two ways and in the same way.
    const apart = ['/', 'index.html']
    const placed = async (text: string) => (await seen(text, ...compare)).said.places[0].differences
    expect(await placed('for you')).toEqual(apart)
    writeFileSync(elsewhere, JSON.stringify((await seen('for them')).said))
    expect(await placed(`the content of ${page}`)).toEqual(apart)
    expect(await placed('for you')).toEqual(apart)
    expect(await placed('for them')).toEqual([])
  })

  it('a result of another release, and a file that is no result, are usage errors', async () => {
    const other = join(folder, 'other.json')
    const web = await startWebServer({ folder: join(checkout, APP_TREE) })
    for (const text of ['{', '{}', JSON.stringify({ release: '0'.repeat(64), differences: [] })]) {
      writeFileSync(other, text)
      expect((await run('verify', 'app', release, web.url, '--compare', other)).code).toBe(2)
    }
    await web.stop()
  })

  it('an address that is no page is a usage error', async () => {
    for (const bad of ['app.example.org', 'ftp://app.example.org/', 'https://app.example.org/?a=1'])
      expect((await run('verify', 'app', release, bad)).code).toBe(2)
  })
})
