/** The look of a report. */
export const reportStyle = `
:root{--ground:#fbfbfa;--card:#fff;--text:#1d2127;--soft:#5b6470;--line:#dfe2e6;--accent:#0072B2;--good:#007a59;--bad:#b34700;--mark:#fff3d6}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--ground:#14161a;--card:#1c1f25;--text:#e4e6ea;--soft:#a0a8b4;--line:#333842;--accent:#56B4E9;--good:#3fc79a;--bad:#ff9a52;--mark:#463a1c;--blue:#3d9bd4}}
:root[data-theme=dark]{--ground:#14161a;--card:#1c1f25;--text:#e4e6ea;--soft:#a0a8b4;--line:#333842;--accent:#56B4E9;--good:#3fc79a;--bad:#ff9a52;--mark:#463a1c;--blue:#3d9bd4}
:root[data-theme=dark]{color-scheme:dark}:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:1080px;margin:0 auto;padding:0 1.25rem}
.broad :is(header,main,footer){max-width:1400px}
.bar{display:flex;justify-content:space-between;align-items:center;padding:1rem 0}
.brand{font-weight:650;letter-spacing:.01em;color:var(--soft);text-decoration:none}
a.brand:hover{color:var(--accent)}
#theme{font-size:1.1rem;background:none;border:1px solid var(--line);border-radius:8px;color:var(--text);padding:.15rem .6rem;cursor:pointer}
h1{font-size:2rem;line-height:1.2;margin:.2rem 0 .4rem;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:0 0 .8rem}
h3{font-size:1.02rem;margin:1.4rem 0 .5rem}
p{max-width:72ch}
.soft{color:var(--soft)}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem;z-index:9}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem .5rem;list-style:none;padding:0;margin:1.2rem 0}
nav a{display:inline-block;padding:.2rem .7rem;border:1px solid var(--line);border-radius:99px;text-decoration:none;color:var(--text);font-size:.9rem;background:var(--card)}
nav a:hover{border-color:var(--accent)}
a{color:var(--accent)}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.3rem 1.4rem;margin:0 0 1.2rem;overflow:hidden}
.notice{background:var(--mark);border:1px solid var(--line);border-radius:10px;padding:.7rem 1rem;margin:.8rem 0;max-width:80ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(235px,1fr));gap:.8rem;margin:1rem 0}
.tiles.five{grid-template-columns:repeat(auto-fit,minmax(172px,1fr))}
.tile{border:1px solid var(--line);border-radius:12px;padding:.8rem 1rem;background:var(--card)}
.tile dt{font-size:.86rem;color:var(--soft)}
.tile dd{margin:0}
.tile .value{font-size:1.75rem;font-weight:640;font-variant-numeric:tabular-nums;line-height:1.25}
.tile .under{font-size:.84rem;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:1rem;align-items:start}
figure{margin:0;min-width:0}
figure.wide{grid-column:1/-1}
figure svg{display:block;max-width:100%;height:auto;color:var(--text)}
.drawn-narrow{display:none}.drawn-narrow svg,header figure .drawn-narrow svg{width:min(100%,27rem)}
@media screen and (max-width:760px){.drawn{display:none}.drawn-narrow{display:block}section{padding:1rem}}
@media screen and (max-width:480px){header,main,footer{padding:0 .8rem}section{padding:.9rem .8rem}table th[scope=row]{width:38%;white-space:normal}td{overflow-wrap:anywhere}}
figcaption{font-size:.95rem;margin-bottom:.4rem;font-weight:600}
header .figures{grid-template-columns:minmax(0,600px)}
header figure svg{width:min(100%,560px)}
header figure{border:1px solid var(--line);border-radius:12px;padding:.8rem 1rem;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:.92rem}
.scroll{overflow-x:auto}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);white-space:nowrap}
th[scope=row]{color:var(--text);width:14rem}
button:not(#theme){font:inherit;font-size:.95rem;color:var(--card);background:var(--accent);border:0;border-radius:8px;padding:.45rem 1rem;cursor:pointer}
button:not(#theme):disabled{opacity:.5;cursor:default}
input[type=checkbox]{width:1.1rem;height:1.1rem;accent-color:var(--accent)}
.whole{white-space:nowrap}
.choice{display:flex;flex-wrap:wrap;gap:.2rem .5rem;align-items:center;min-height:1.7rem}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.86em}
pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:8px;padding:.8rem;max-height:26rem}
details>summary{cursor:pointer;color:var(--accent)}
.filters{display:flex;flex-wrap:wrap;gap:.6rem;margin:.4rem 0 .8rem;align-items:end}
.filters label{display:grid;font-size:.8rem;color:var(--soft);gap:.15rem}
.filters input,.filters select{font:inherit;font-size:.92rem;color:var(--text);background:var(--ground);border:1px solid var(--line);border-radius:8px;padding:.32rem .5rem;min-width:9rem;height:2.35rem;max-width:100%}
.filters .expression{flex:1 1 26rem}.filters .expression input{width:100%;font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.86rem}.filters input[aria-invalid]{border-color:var(--bad)}.filters .about{flex:1 0 100%;min-width:0;font-size:.9rem}.filters .about:empty{display:none}.filters .about p{margin:.2rem 0}.fault{color:var(--bad)}.fault code{color:var(--text);white-space:pre-wrap;overflow-wrap:anywhere}.fault mark{background:var(--mark);color:inherit;text-decoration:underline wavy var(--bad)}.filters .about ul{margin:.4rem 0;padding-left:1.2rem}.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:.2rem 1.2rem;margin:.5rem 0}.fields div{display:grid;grid-template-columns:6.5rem 1fr;gap:.5rem}.fields dd{margin:0;color:var(--soft)}
.viewport{height:34rem;overflow-y:auto;border:1px solid var(--line);border-radius:10px;position:relative}
.viewport table{table-layout:fixed}
.viewport thead th{position:sticky;top:0;background:var(--card);z-index:1}
.viewport tbody tr{height:37px}
.viewport td{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;height:37px}
.viewport tr[aria-selected=true]{background:var(--mark)}
.viewport tbody tr{cursor:pointer}
.right{color:var(--good)}.wrong,.unreadable{color:var(--bad)}
.right::before{content:"✓ "}.wrong::before{content:"✗ "}.unreadable::before{content:"? "}
#detail{white-space:pre-wrap;border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem;margin-top:.8rem;min-height:3rem}
#detail .chosen{font-weight:650}
#detail .question{font-weight:600;margin:.3rem 0}
#detail .said{border-top:1px solid var(--line);margin-top:.5rem;padding-top:.5rem}
footer{color:var(--soft);font-size:.85rem;padding:1rem 1.25rem 3rem}
.runs{font-size:.88rem}button.sort:not(#theme){font-size:inherit;font-weight:600;color:inherit;background:none;padding:0;border-radius:0;text-align:left}th[aria-sort=ascending] .sort::after{content:" ▲"}th[aria-sort=descending] .sort::after{content:" ▼"}.runs td:nth-child(1),.runs td:nth-child(3){min-width:9.5rem;overflow-wrap:anywhere}.runs .right,.runs .unreadable{white-space:nowrap}.buttons{display:flex;flex-wrap:wrap;gap:.6rem}
pre.said{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0 .6rem}p.said{white-space:pre-wrap;font-weight:600;max-width:none;overflow-wrap:anywhere}.role{margin:.6rem 0 .1rem;font-size:.84rem;color:var(--soft)}ol.options{list-style:upper-alpha;padding-left:1.6rem}ol.options b{font-size:.85rem}.share{display:block;width:8rem;max-width:100%;height:.7rem;background:var(--ground);border:1px solid var(--line);border-radius:4px;overflow:hidden}.share span{display:block;height:100%;background:var(--accent)}.rows .clip{max-width:22rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}nav .place{padding:.2rem .4rem;color:var(--soft);font-size:.9rem}.bar{gap:1rem}.bar #theme{margin-left:auto}
.on-paper{display:none}
@media screen and (max-width:600px){table.cards thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}table.cards,table.cards tbody,table.cards tr,table.cards caption{display:block}table.cards tr{border:1px solid var(--line);border-radius:10px;padding:.3rem .7rem;margin:0 0 .6rem}table.cards td{display:flex;justify-content:space-between;gap:1rem;white-space:normal;text-align:right;border-bottom:0;padding:.16rem 0;overflow-wrap:anywhere}table.cards td::before{content:attr(data-head);color:var(--soft);text-align:left;overflow-wrap:normal}table.cards td:first-child{font-weight:600}table.cards td:empty{display:none}table.cards .clip{max-width:none;white-space:normal}.viewport :is(td,th){padding:.35rem .3rem}.viewport col:nth-child(1){width:41%!important}.viewport col:nth-child(3){width:11%!important}.viewport col:nth-child(4){width:20%!important}.viewport col:nth-child(5){width:28%!important}.viewport :is(col,th,td):nth-child(2),.viewport :is(col,th,td):nth-child(6){display:none}}
@media print{:root:root:root{color-scheme:light;--blue:#0072B2;--ground:#fff;--card:#fff;--text:#000;--soft:#444;--line:#bbb;--accent:#0072B2;--good:#00644a;--bad:#963900;--mark:#fff3d6}
html{font-size:11px}body{font-size:1rem}nav,#theme,.filters,.skip,#detail,a.brand,.buttons{display:none}h2{break-after:avoid}h3,figcaption,summary{break-after:avoid}
section{border:none;padding:0;overflow:visible}th,td{padding:.2rem .4rem}th{white-space:normal}td[data-head=note]{white-space:nowrap}footer{padding-bottom:0}figure,.tile,tr,p{break-inside:avoid}.scroll{overflow:visible}
.figures{grid-template-columns:1fr 1fr}header .figures{grid-template-columns:50%}figure svg,header figure svg{width:100%;max-width:100%}
.tiles,.tiles.five{grid-template-columns:repeat(4,1fr)}.viewport{height:auto;overflow:hidden}.viewport tbody tr,.viewport td{height:auto}.viewport tr[aria-hidden]{display:none}
.on-paper{display:block}details::details-content{content-visibility:visible;display:block;height:auto}details>summary{list-style:none;color:var(--text);font-weight:600}pre{max-height:none;overflow:visible;white-space:pre-wrap;overflow-wrap:anywhere}}
`;
