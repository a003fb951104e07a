/** The style of the status page: system fonts, no images, a light and a dark scheme, screens from 360 px. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#f7f7f4;--card:#fff;--ink:#1d2327;--quiet:#5b656c;--line:#dfe1dc;--accent:#0b7a6b;--faint:#dce3df;--warn:#a15c00;--warn-bg:#fdf3e1;--fail:#b3261e;--fail-bg:#fcebe9}
@media(prefers-color-scheme:dark){:root{--paper:#14181a;--card:#1c2225;--ink:#e8ecee;--quiet:#9aa7ae;--line:#2f373b;--accent:#4cc7b1;--faint:#2a3336;--warn:#f0b35a;--warn-bg:#33291a;--fail:#ff8a80;--fail-bg:#3a2220}}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;padding:clamp(16px,3vw,40px)}
main{max-width:1280px;margin:0 auto;display:grid;gap:20px;grid-template-columns:minmax(0,1fr)}
header,footer,.hints,.cards,.wide{grid-column:1/-1}
h1{font-size:clamp(28px,4vw,42px);line-height:1.15;font-weight:650;letter-spacing:-.02em;display:flex;align-items:center;gap:.45em;padding-left:.22em}
h2{font-size:15px;font-weight:600}
.lead{font-size:18px;color:var(--quiet)}
.quiet{color:var(--quiet);font-size:14px}
.lamp{flex:none;width:.5em;height:.5em;border-radius:50%;background:var(--accent);box-shadow:0 0 0 .22em color-mix(in srgb,var(--accent) 22%,transparent)}
.warn .lamp{background:var(--warn);box-shadow:0 0 0 .22em color-mix(in srgb,var(--warn) 22%,transparent)}
.fail .lamp{background:var(--fail);box-shadow:0 0 0 .22em color-mix(in srgb,var(--fail) 22%,transparent)}
.hints{list-style:none;padding:0;display:grid;gap:8px}
.hints li{padding:12px 16px;border-radius:10px;border-left:4px solid var(--warn);background:var(--warn-bg)}
.hints li.fail{border-color:var(--fail);background:var(--fail-bg)}
section:not(.cards),.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:clamp(14px,2vw,22px);min-width:0}
.cards{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(148px,1fr))}
.card{display:flex;flex-direction:column;gap:4px}
header strong{white-space:nowrap}
.card h2{color:var(--quiet);font-weight:500;font-size:14px}
.value{font-size:26px;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums;white-space:nowrap}
.card .quiet{font-size:13px;line-height:1.35}
section>.quiet{margin-top:6px}
.bar{width:100%;height:4px;border-radius:2px;display:block;margin:2px 0 4px}
.bar rect{fill:var(--faint)}.bar .share{fill:var(--accent)}.bar.full .share{fill:var(--warn)}
.day svg{width:100%;height:clamp(120px,16vw,190px);display:block;margin-top:14px}
.answered{fill:var(--accent)}.refused{fill:var(--warn)}.axis{stroke:var(--line);vector-effect:non-scaling-stroke}
.axis-words{display:flex;justify-content:space-between;color:var(--quiet);font-size:12px;margin:4px 0 8px}
figcaption{font-size:14px;display:flex;flex-wrap:wrap;gap:4px 16px}
.key::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.45em;background:var(--accent)}
.key.refused::before,.key.missing::before{background:var(--warn)}.key.others::before{background:var(--quiet);opacity:.45}
.plain{list-style:none;padding:0;margin-top:8px;display:grid;gap:8px;font-size:14px}
.fact{font-size:14px;margin-top:8px}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:14px;margin-top:8px}
th{text-align:left;color:var(--quiet);font-weight:500}
th,td{padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{font-variant-numeric:tabular-nums;white-space:nowrap}
tr:last-child td{border-bottom:0}
details{margin-top:12px;font-size:14px}
summary{cursor:pointer;color:var(--accent);width:fit-content}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px;border-radius:4px}
code{font:13px ui-monospace,monospace;color:var(--quiet);overflow-wrap:anywhere}
footer dl{display:flex;flex-wrap:wrap;gap:6px 28px;font-size:13px;color:var(--quiet)}
footer dl div{display:flex;gap:8px;min-width:0}
dt{white-space:nowrap}
dd{margin:0;min-width:0}
#notice{position:fixed;inset:auto 16px 16px;max-width:640px;margin:0 auto;padding:12px 16px;border-radius:10px;background:var(--ink);color:var(--paper)}
#notice:empty{display:none}
@media(max-width:520px){.card:last-child:nth-child(odd){grid-column:1/-1}}
@media(min-width:900px){main{grid-template-columns:minmax(0,1fr) minmax(0,1fr);grid-auto-rows:auto}}
@media(prefers-reduced-motion:no-preference){.bar .share{transition:width .4s}}
`
