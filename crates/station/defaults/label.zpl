^XA
^FX 50 mm by 25 mm at 203 dpi: 400 by 200 dots. docs/after.md says what may stand in braces.
^PW400
^LL200
^FO10,20{symbol}^FS
^FO200,40^A0N,28,28^FDSN {serial} {copy}^FS
^FO200,80^A0N,24,24^FD{mac}^FS
^FO200,115^A0N,20,20^FDFW {firmware}  {date}^FS
^XZ
