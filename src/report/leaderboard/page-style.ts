/**
 * The look of the leaderboard's tables: one hue, told apart by lightness alone, so that whoever sees no colours reads
 * it too; text stays readable on all of it.
 */
export const boardStyle = `
:root{--heat:#0072B2;--heat-most:.52}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--heat:#56B4E9;--heat-most:.5}}
:root[data-theme=dark]{--heat:#56B4E9;--heat-most:.5}
header,main,footer{max-width:1560px}
li{overflow-wrap:anywhere}
.board{width:auto;min-width:100%;font-size:.86rem}
.board td,.board th{padding:.3rem .5rem;vertical-align:middle}
.board thead a{color:inherit}
.board th[scope=row]{
  position:sticky;left:0;z-index:1;background:var(--card);
  width:auto;min-width:9rem;max-width:18rem;white-space:normal;overflow-wrap:anywhere
}
.board small{
  display:block;font-weight:400;color:var(--soft);font-size:.86em;
  white-space:nowrap;overflow:hidden;text-overflow:ellipsis
}
.board .heat small{color:inherit}
.board tr.published th[scope=row]{font-weight:400;font-style:italic}
.board abbr{text-decoration:none;cursor:help;color:var(--bad);font-weight:700}
.heat{
  background:color-mix(in oklab,var(--heat) calc(var(--h)*var(--heat-most)*1%),var(--card));
  print-color-adjust:exact
}
.heat-key{display:flex;gap:.5rem;align-items:center;font-size:.84rem;color:var(--soft);margin-bottom:.5rem}
.heat-key i{
  width:9rem;height:.8rem;border:1px solid var(--line);print-color-adjust:exact;
  background:linear-gradient(
    to right in oklab,var(--card),color-mix(in oklab,var(--heat) calc(100%*var(--heat-most)),var(--card))
  )
}
.filters fieldset{
  border:1px solid var(--line);border-radius:8px;display:flex;flex-wrap:wrap;
  gap:0 .8rem;padding:.1rem .7rem;margin:0
}
.filters fieldset legend{font-size:.8rem;color:var(--soft)}
.filters fieldset label{display:inline-flex;color:var(--text);font-size:.86rem;gap:.3rem}
.filters fieldset input{min-width:0;height:1.1rem;padding:0}
@media (max-width:760px){
  .board th[scope=row]{min-width:7rem;max-width:8.5rem}
  .board small{white-space:normal}
}
`;
