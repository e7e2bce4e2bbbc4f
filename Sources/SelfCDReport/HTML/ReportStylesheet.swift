/// What a report adds to the common look: folds, two runs side by side, and the list of replies.
enum ReportStylesheet {
  static let css: StaticString = """
    [hidden]{display:none!important}
    summary{cursor:pointer}summary>h2{display:inline;border:0;margin:0;padding:0}summary:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .fold{margin-top:3.2rem;border-top:1px solid var(--rule);padding-top:1rem}
    .filters{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.6rem .8rem;align-items:end;margin:1rem 0 .6rem}
    .filters label{display:block;color:var(--mute);font-size:.85rem;min-width:0}
    .filters .search{grid-column:span 2}
    .filters input,.filters select,.filters button{display:block;width:100%;min-height:2.6rem;font:inherit;font-size:.95rem;color:var(--ink);
    background:var(--page);border:1px solid var(--mute);border-radius:.4rem;padding:.35rem .55rem;margin-top:.15rem;text-overflow:ellipsis}
    .filters button{background:var(--card);cursor:pointer}
    .filters :focus-visible,.list:focus-visible,.detail:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .status{margin:.2rem 0 .5rem;font-variant-numeric:tabular-nums}
    .panes{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:1rem}
    .list,.detail{height:min(38rem,80vh);overflow-y:auto;border:1px solid var(--rule);border-radius:.5rem}
    .detail{padding:.8rem 1rem}.detail .lanes{grid-template-columns:minmax(0,1fr)}
    .space{position:relative}
    .option{position:absolute;left:0;right:0;height:58px;padding:8px 12px;border-bottom:1px solid var(--rule);cursor:pointer;overflow:hidden;
    font-size:15px;line-height:21px}
    .option[aria-selected=true]{background:var(--card);box-shadow:inset 4px 0 0 var(--c0)}
    .option .title,.option .line{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .option .title{unicode-bidi:plaintext}
    .option .line{display:flex;gap:.8em;justify-content:space-between}
    .option .line span{font-size:13px;overflow:hidden;text-overflow:ellipsis}
    mark{background:var(--c4);color:var(--page)}
    kbd{font:.85em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;border:1px solid currentColor;border-radius:.25rem;padding:0 .3em}
    .printed{display:none}
    @media (max-width:46rem){.panes{grid-template-columns:minmax(0,1fr)}.list{height:19rem}.detail{height:auto;max-height:none}.filters{grid-template-columns:1fr 1fr}}
    @media print{.filters,.status,.panes,.keys{display:none}.printed{display:block}details::details-content{content-visibility:visible;display:block}
    .printed .lanes{grid-template-columns:repeat(2,minmax(0,1fr))}}
    .terms{max-width:42rem}
    .run{font-weight:650;margin:.4rem 0}
    @media screen and (min-width:76rem){main:has(.pair){max-width:92rem}.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 2.5rem}
    .pair table{font-size:.85rem;min-width:0}.pair th,.pair td{padding-right:.55rem}.pair thead th.n{min-width:0}}
    """
}
