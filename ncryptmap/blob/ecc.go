package blob

var eccFormats = []format{}
