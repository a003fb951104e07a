/**
 * The document that the browser loads first: style and script, without any data of the node. The content security
 * policy allows these two texts by their hashes, requests to this server, and no other source.
 */
import { createHash } from 'node:crypto'
import { pageHeaders } from './headers.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

const POLICY = [
  "default-src 'none'",
  `style-src '${sourceHash(STYLE)}'`,
  `script-src '${sourceHash(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const PAGE_HEADERS = pageHeaders('text/html; charset=utf-8', POLICY)

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Geo Trace salt node</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main aria-busy="true"></main>
<div id="notice" role="status"></div>
<noscript>This page needs JavaScript. Without it, run: geotrace status</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`

export function pageShell(): string {
  return SHELL
}

function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
